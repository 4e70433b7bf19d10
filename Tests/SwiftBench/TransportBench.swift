import ByteTransport
import LoopRuntime

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Echoes over loopback, the two ends on threads of their own, so that each one's CPU time is known; and what an idle connection costs.
enum TransportBench {
    static func run() async throws {
        let identity = try makeIdentity()
        print("echo over loopback: MB of payload per second, and per CPU second of the server and of the client")
        for kind in [EchoServer.Kind.tcp, .ws, .tls, .wss] {
            for messageByteCount in [64, 1024, 16384, 65536] {
                try await echo(kind, identity, messageByteCount: messageByteCount)
            }
        }
        for kind in [EchoServer.Kind.ws, .wss] { try await idle(kind, identity, count: 2000) }
    }

    private static func echo(
        _ kind: EchoServer.Kind, _ identity: TLSIdentity, messageByteCount: Int
    ) async throws {
        let byteCount = min(messageByteCount * 1_000_000, 1 << 30) / messageByteCount * messageByteCount
        let (serverThread, clientThread) = (LoopThread(), LoopThread())
        let server = try await serve(kind, identity, on: serverThread)
        let start = ContinuousClock.now
        let serverStart = await cpuSeconds(of: serverThread)
        let clientStart = await cpuSeconds(of: clientThread)
        try await clientThread.executor.run { actor in
            let context = TransportContext(on: actor.loop)
            let client = try await connect(kind, identity, to: server.port, context: context)
            let source = Source(client, messageByteCount: messageByteCount, byteCount: byteCount)
            await source.waitUntilDone()
            context.abortEverything()
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        let serverSeconds = await cpuSeconds(of: serverThread) - serverStart
        let clientSeconds = await cpuSeconds(of: clientThread) - clientStart
        let megabytes = Double(byteCount) / 1e6
        func perSecond(_ seconds: Double) -> String {
            let text = "\(Int((megabytes / seconds).rounded()))"
            return String(repeating: " ", count: max(6 - text.count, 0)) + text
        }
        print(
            "\(kind.rawValue) \(messageByteCount) B:", perSecond(seconds), perSecond(serverSeconds),
            perSecond(clientSeconds))
        await serverThread.executor.run { _ in server.context.value.abortEverything() }
        await serverThread.stop()
        await clientThread.stop()
    }

    /// How much a server process grows for each client that is attached and says nothing.
    private static func idle(_ kind: EchoServer.Kind, _ identity: TLSIdentity, count: Int) async throws {
        let server = try ServerProcess(kind, identity)
        defer { server.stop() }
        let clientThread = LoopThread()
        try await clientThread.executor.run { actor in
            let context = TransportContext(on: actor.loop)
            for _ in 0..<100 { _ = try await connect(kind, identity, to: server.port, context: context) }
            let before = server.residentByteCount
            for _ in 0..<count { _ = try await connect(kind, identity, to: server.port, context: context) }
            print("\(kind.rawValue): \((server.residentByteCount - before) / count) bytes an idle client")
            context.abortEverything()
        }
        await clientThread.stop()
    }

    private static func serve(
        _ kind: EchoServer.Kind, _ identity: TLSIdentity, on thread: LoopThread
    ) async throws -> (port: UInt16, context: LoopBound<TransportContext>) {
        try await thread.executor.run { actor in
            let context = TransportContext(on: actor.loop)
            let tls = kind == .tls || kind == .wss ? try TLSServerContext([identity]) : nil
            let listener = try EchoServer.listen(kind, context: context, tls: tls)
            return (listener.address.port, LoopBound(context, to: actor.loop))
        }
    }

    private static func connect(
        _ kind: EchoServer.Kind, _ identity: TLSIdentity, to port: UInt16, context: TransportContext,
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> any ByteTransport {
        var options = TransportDialOptions()
        let tls = try clientContext(identity)
        options.tls = tls
        let scheme = kind == .ws || kind == .wss ? kind.rawValue : "tcp"
        let pipe = try await TransportURL("\(scheme)://localhost:\(port)").connect(context: context, options: options)
        pipe.transport.delegate = nil
        return kind == .tls ? TLSTransport.client(over: pipe.transport, tls, host: "localhost") : pipe.transport
    }

    private static let clientContexts = Locked<TLSClientContext?>(nil)

    private static func clientContext(_ identity: TLSIdentity) throws -> TLSClientContext {
        try clientContexts.withLock { context in
            let made = try context ?? TLSClientContext(trust: .certificates(identity.certificateChain))
            context = made
            return made
        }
    }

    private static func cpuSeconds(of thread: LoopThread) async -> Double {
        await thread.executor.run { _ in
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
    }
}

/// Sends messages while there is room, until as many bytes have come back.
private final class Source: ByteTransportDelegate {
    private let transport: any ByteTransport
    private let message: [UInt8]
    private var bytesToSend: Int
    private var bytesToReceive: Int
    private let done: LoopChannel<Void>

    init(_ transport: any ByteTransport, messageByteCount: Int, byteCount: Int) {
        self.transport = transport
        message = [UInt8](repeating: 0x5a, count: messageByteCount)
        bytesToSend = byteCount
        bytesToReceive = byteCount
        done = LoopChannel(on: transport.context.loop, elementCountMax: 1)
        transport.delegate = self
        send()
    }

    func waitUntilDone(isolation: isolated (any Actor)? = #isolation) async {
        _ = try? await done.next()
    }

    private func send() {
        while bytesToSend > 0, transport.isWritable, bytesToReceive - bytesToSend < 1 << 20 {
            message.withUnsafeBytes { transport.write($0) }
            bytesToSend -= message.count
        }
    }

    func received(_ bytes: UnsafeMutableRawBufferPointer) {
        bytesToReceive -= bytes.count
        if bytesToReceive == 0 { done.send(()) } else { send() }
    }

    func becameWritable() {
        send()
    }

    func readEnded() {}

    func closed(_ reason: CloseReason) {
        done.finish()
    }
}
