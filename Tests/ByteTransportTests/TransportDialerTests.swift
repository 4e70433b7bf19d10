import ByteTransport
import LoopRuntime
import Testing

/// A server that takes WebSockets on a port of its own and echoes their messages.
struct EchoServer {
    let listener: TCPListener

    /// - Parameter tls: With it, the server speaks `wss`.
    init(context: TransportContext, tls: TLSServerContext? = nil, onEnded: @escaping (CloseReason) -> Void = { _ in })
        throws
    {
        listener = try TCPListener(context: context, address: loopback()) { tcp in
            let lower: any ByteTransport = if let tls { TLSTransport.server(over: tcp, tls) } else { tcp }
            _ = WebSocketServerHandshake(over: lower, answer: Self.answer) { outcome in
                switch outcome {
                case .upgraded(let webSocket, _): webSocket.delegate = Echo(webSocket, onEnded: onEnded)
                case .ended(let reason): onEnded(reason)
                }
            }
        }
    }

    private static func answer(_ request: HTTPRequest) -> HTTPAnswer {
        switch request.path {
        case "/health": .respond(HTTPResponse(status: 200, text: "ok\n"))
        case "/missing": .respond(HTTPResponse(status: 404))
        case "/chat": .upgrade(subprotocol: request.fields.list("sec-websocket-protocol").first)
        default: .upgrade()
        }
    }
}

/// Sends every message back; stops reading while they do not leave.
final class Echo: ByteTransportDelegate {
    private let transport: any ByteTransport
    private let onEnded: (CloseReason) -> Void

    init(_ transport: any ByteTransport, onEnded: @escaping (CloseReason) -> Void) {
        self.transport = transport
        self.onEnded = onEnded
    }

    func received(_ bytes: UnsafeMutableRawBufferPointer) {
        transport.write(UnsafeRawBufferPointer(bytes))
        if !transport.isWritable { transport.pauseReading() }
    }

    func becameWritable() {
        transport.resumeReading()
    }

    func readEnded() {
        transport.close()
    }

    func closed(_ reason: CloseReason) {
        onEnded(reason)
    }
}

@Suite("Transport dialer", .timeLimit(.minutes(1))) struct TransportDialerTests {
    private func options() throws -> TransportDialOptions {
        var options = TransportDialOptions()
        options.tls = try TLSClientContext(trust: .certificates(Certificates.root))
        return options
    }

    @Test("A WebSocket over TCP and over TLS echoes messages", arguments: ["ws", "wss"])
    func echo(scheme: String) async throws {
        try await withTransports { context, actor async throws in
            var ended: [CloseReason] = []
            let tls = scheme == "wss" ? try TLSServerContext([Certificates.local]) : nil
            let server = try EchoServer(context: context, tls: tls) { ended.append($0) }
            let url = try TransportURL("\(scheme)://localhost:\(server.listener.address.port)/x?y")
            let client = try await url.connect(context: context, options: options())
            #expect(client.transport.preservesMessages)
            for count in [0, 1, 200, 70000, 1 << 20] {
                try await client.write(pattern(count))
                expectSame(try await client.read() ?? [], pattern(count))
            }
            #expect(await client.close(.goingAway("done")) == .closedLocally)
            while ended.isEmpty { await pause(.milliseconds(1), on: actor) }
            #expect(ended == [.closedByPeer(.goingAway("done"))])
        }
    }

    @Test("A subprotocol is agreed on") func subprotocol() async throws {
        try await withTransports { context, actor async throws in
            let server = try EchoServer(context: context)
            var options = try options()
            options.subprotocols = ["one", "two"]
            let url = try TransportURL("ws://127.0.0.1:\(server.listener.address.port)/chat")
            let client = try await url.connect(context: context, options: options)
            #expect((client.transport as? WebSocketTransport)?.subprotocol == "one")
        }
    }

    @Test("A plain TCP pipe") func tcp() async throws {
        try await withTransports { context, actor async throws in
            let listener = try TCPListener(context: context, address: loopback()) { $0.delegate = Echo($0) { _ in } }
            let client = try await TransportURL("tcp://127.0.0.1:\(listener.address.port)").connect(context: context)
            #expect(!client.transport.preservesMessages)
            try await client.write([1, 2, 3])
            #expect(try await client.read() == [1, 2, 3])
        }
    }

    @Test(
        "What goes wrong is named with the URL",
        arguments: [
            ("ws", "127.0.0.1", "/missing", TransportError.Code.upgradeRefused),
            ("ws", "127.0.0.1", "/health", .upgradeRefused),
            ("wss", "127.0.0.1", "/", .tlsFailed), ("ws", "no.such.host.invalid", "/", .hostNotFound),
        ])
    func failures(scheme: String, host: String, path: String, code: TransportError.Code) async throws {
        try await withTransports { context, actor async throws in
            let server = try EchoServer(context: context)
            let url = try TransportURL("\(scheme)://\(host):\(server.listener.address.port)\(path)")
            let options = try options()
            let error = await #expect(throws: TransportError.self) {
                _ = try await url.connect(context: context, options: options)
            }
            #expect(error?.code == code && error?.message.contains("\(url)") == true, "\(String(describing: error))")
        }
    }

    @Test("A certificate that is not trusted is named") func untrusted() async throws {
        try await withTransports { context, actor async throws in
            let server = try EchoServer(context: context, tls: try TLSServerContext([Certificates.local]))
            let url = try TransportURL("wss://localhost:\(server.listener.address.port)")
            // Without options: the roots of the operating system.
            let error = await #expect(throws: TransportError.self) { _ = try await url.connect(context: context) }
            #expect(error?.code == .certificateRejected)
        }
    }

    @Test("A server that accepts and then says nothing is given up in time", arguments: ["ws", "wss"])
    func silence(scheme: String) async throws {
        var limits = TransportLimits()
        limits.connectTimeout = .milliseconds(50)
        try await withTransports(limits: limits) { context, actor async throws in
            let listener = try TCPListener(context: context, address: loopback()) { _ in }
            let url = try TransportURL("\(scheme)://127.0.0.1:\(listener.address.port)")
            let options = try options()
            let error = await #expect(throws: TransportError.self) {
                _ = try await url.connect(context: context, options: options)
            }
            #expect(error?.code == .timedOut)
        }
    }

    @Test("A task that is cancelled while it connects stops, and leaves nothing open") func cancellation() async throws
    {
        try await withTransports { context, actor async throws in
            let listener = try TCPListener(context: context, address: loopback()) { _ in }
            let port = listener.address.port
            let box = LoopBound(context, to: actor.loop)
            let connecting = actor.loop.task { _ in
                let client = try await TransportURL("ws://127.0.0.1:\(port)").connect(context: box.value)
                client.transport.abort()
            }
            await pause(.milliseconds(10), on: actor)
            connecting.cancel()
            await #expect(throws: CancellationError.self) { try await connecting.value }
            await pause(.milliseconds(10), on: actor)
            #expect(context.connectionCount <= 1)  // the listener's end, which nobody told to close
        }
    }

    @Test("A stalled reader costs no more than the limits") func stalledReader() async throws {
        try await withTransports { context, actor async throws in
            let server = try EchoServer(context: context)
            let url = try TransportURL("ws://127.0.0.1:\(server.listener.address.port)")
            let client = try await url.connect(context: context)
            client.transport.pauseReading()
            var ticks = 0
            while ticks < 5 {
                while client.transport.isWritable {
                    client.transport.write([UInt8](repeating: 1, count: 30000))
                    ticks = 0
                }
                await pause(.milliseconds(2), on: actor)
                ticks += 1
            }
            // Both ends live in this process: what they hold is bounded, though megabytes were offered.
            #expect(client.transport.bufferedByteCount <= context.limits.bufferedByteCountHigh + 30000 + 14)
            client.transport.abort()
        }
    }
}
