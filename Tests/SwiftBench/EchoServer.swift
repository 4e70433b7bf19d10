import ByteTransport
import Foundation
import LoopRuntime

/// Sends everything back; stops reading while it does not leave.
final class Echo: ByteTransportDelegate {
    private let transport: any ByteTransport

    init(_ transport: any ByteTransport) {
        self.transport = transport
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

    func closed(_ reason: CloseReason) {}
}

/// A server that echoes, for measurements and for trying other implementations by hand.
enum EchoServer {
    /// What is spoken.
    enum Kind: String {
        case tcp, tls, ws, wss
    }

    static func listen(
        _ kind: Kind, context: TransportContext, port: UInt16 = 0, tls: TLSServerContext? = nil
    ) throws -> TCPListener {
        guard let address = SocketAddress(host: "127.0.0.1", port: port) else { preconditionFailure("an address") }
        return try TCPListener(context: context, address: address) { tcp in
            let lower: any ByteTransport = if let tls { TLSTransport.server(over: tcp, tls) } else { tcp }
            switch kind {
            case .tcp, .tls:
                lower.delegate = Echo(lower)
            case .ws, .wss:
                _ = WebSocketServerHandshake(over: lower, answer: { _ in .upgrade() }) { outcome in
                    if case .upgraded(let webSocket, _) = outcome { webSocket.delegate = Echo(webSocket) }
                }
            }
        }
    }

    /// `swift-bench serve PORT [CERTIFICATE KEY]`: echoes WebSocket messages until it is stopped.
    static func serve(_ arguments: [String]) async throws {
        let thread = LoopThread()
        let port = arguments.first.flatMap(UInt16.init) ?? 9001
        let url = try await thread.executor.run { actor in
            let context = TransportContext(on: actor.loop)
            let tls = arguments.count == 3 ? try TLSServerContext([identity(arguments[1], arguments[2])]) : nil
            let listener = try listen(tls == nil ? .ws : .wss, context: context, port: port, tls: tls)
            return "\(tls == nil ? "ws" : "wss")://\(listener.address)"
        }
        FileHandle.standardOutput.write(Data("echoing at \(url)\n".utf8))
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}
