import ByteTransport
import LoopRuntime
import Testing

/// Expects two sequences of bytes to be the same; says where they differ, and does not print them all.
func expectSame(_ bytes: [UInt8], _ expected: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
    guard bytes != expected else { return }
    let same = zip(bytes, expected).prefix { $0 == $1 }.count
    Issue.record(
        "\(bytes.count) bytes instead of \(expected.count), of which the first \(same) are right",
        sourceLocation: sourceLocation)
}

/// Limits whose time-outs do not decide a test on a busy machine.
func patientLimits(_ change: (inout TransportLimits) -> Void = { _ in }) -> TransportLimits {
    var limits = TransportLimits()
    limits.closeTimeout = .seconds(50)
    limits.connectTimeout = .seconds(50)
    change(&limits)
    return limits
}

/// Runs a test on a loop of its own, with pipes that are all cut when it ends, however it ends.
func withTransports<Result: Sendable>(
    limits: TransportLimits = patientLimits(),
    _ body: @Sendable (TransportContext, isolated LoopActor) async throws -> Result
) async rethrows -> Result {
    try await withLoopThread { actor in
        let context = TransportContext(on: actor.loop, limits: limits)
        defer { context.abortEverything() }
        return try await body(context, actor)
    }
}

/// A delegate that notes what it is told, and lets a test wait for it.
final class Recorder: ByteTransportDelegate {
    private(set) var bytes: [UInt8] = []
    private(set) var messages: [[UInt8]] = []
    private(set) var becameWritableCount = 0
    private(set) var hasReadEnded = false
    private(set) var closeReasons: [CloseReason] = []

    /// Called with each piece or message.
    var onReceived: (UnsafeMutableRawBufferPointer) -> Void = { _ in }
    var onReadEnded: () -> Void = {}
    var onBecameWritable: () -> Void = {}
    /// Whether what arrives is kept.
    var keepsBytes = true
    private(set) var receivedByteCount = 0

    private let changes: LoopChannel<Void>

    init(on loop: LoopExecutor) {
        changes = LoopChannel(on: loop, elementCountMax: 1)
    }

    /// Waits until what was told makes the condition true. A test's time limit ends the waiting.
    func wait(
        isolation: isolated (any Actor)? = #isolation, until condition: (Recorder) -> Bool
    ) async {
        while !condition(self) {
            guard (try? await changes.next()) != nil else { return }
        }
    }

    func waitUntilClosed(isolation: isolated (any Actor)? = #isolation) async -> CloseReason {
        await wait { !$0.closeReasons.isEmpty }
        return closeReasons[0]
    }

    func received(_ bytes: UnsafeMutableRawBufferPointer) {
        #expect(closeReasons.isEmpty)
        receivedByteCount += bytes.count
        if keepsBytes {
            self.bytes += bytes
            messages.append(Array(bytes))
        }
        onReceived(bytes)
        tell()
    }

    func becameWritable() {
        #expect(closeReasons.isEmpty)
        becameWritableCount += 1
        onBecameWritable()
        tell()
    }

    func readEnded() {
        #expect(closeReasons.isEmpty && !hasReadEnded)
        hasReadEnded = true
        onReadEnded()
        tell()
    }

    func closed(_ reason: CloseReason) {
        #expect(closeReasons.isEmpty, "a pipe is closed once")
        closeReasons.append(reason)
        // They mostly refer to the pipe, and so to this.
        onReceived = { _ in }
        onReadEnded = {}
        onBecameWritable = {}
        tell()
    }

    private func tell() {
        if changes.hasRoom { changes.send(()) }
    }
}

/// Waits by a timer of the loop.
func pause(_ duration: Duration, on actor: isolated LoopActor) async {
    let channel = LoopChannel<Void>(on: actor.loop, elementCountMax: 1)
    let timer = LoopTimer(on: actor.loop) { channel.send(()) }
    timer.start(after: duration)
    _ = try? await channel.next()
    timer.stop()
}

func loopback(port: UInt16 = 0, family: SocketAddress.Family = .ipv4) -> SocketAddress {
    guard let address = SocketAddress(host: family == .ipv4 ? "127.0.0.1" : "::1", port: port) else {
        preconditionFailure("both are addresses")
    }
    return address
}

/// A server and a client end of one TCP connection over loopback.
struct TCPPair {
    let server: TCPTransport
    let client: TCPTransport
    let serverRecorder: Recorder
    let clientRecorder: Recorder

    static func make(
        context: TransportContext, family: SocketAddress.Family = .ipv4, isolation: isolated (any Actor)? = #isolation
    ) async throws -> TCPPair {
        let loop = context.loop
        let serverRecorder = Recorder(on: loop)
        let clientRecorder = Recorder(on: loop)
        let ends = LoopChannel<TCPTransport>(on: loop, elementCountMax: 2)
        let listener = try TCPListener(context: context, address: loopback(family: family)) { transport in
            transport.delegate = serverRecorder
            ends.send(transport)
        }
        let client = try await connect(context: context, to: listener.address)
        client.delegate = clientRecorder
        let server = try #require(try await ends.next())
        listener.close()
        return TCPPair(server: server, client: client, serverRecorder: serverRecorder, clientRecorder: clientRecorder)
    }
}

/// A TCP connection to an address.
func connect(
    context: TransportContext, to address: SocketAddress, isolation: isolated (any Actor)? = #isolation
) async throws -> TCPTransport {
    let done = LoopChannel<Result<TCPTransport, TransportError>>(on: context.loop, elementCountMax: 1)
    TCPTransport.connect(context: context, host: address.host, port: address.port) { done.send($0) }
    return try #require(try await done.next()).get()
}

/// Bytes that differ from place to place.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &+ seed) &* 31 &+ $0 >> 8) }
}
