internal import LoopRuntime

/// How a client makes connections.
package struct TransportDialOptions: Sendable {
    /// Whom to trust on `wss`. Nil for the roots of the operating system.
    package var tls: TLSClientContext?

    /// Subprotocols to offer on `ws` and `wss`.
    package var subprotocols: [String] = []

    /// More fields of the HTTP request on `ws` and `wss`.
    package var fields = HTTPFields()

    package init() {}
}

/// Makes a pipe to a URL: TCP, then TLS and WebSocket as its scheme asks, within ``TransportLimits/connectTimeout``.
package final class TransportDialer {
    private let url: TransportURL
    private let context: TransportContext
    private let options: TransportDialOptions
    private var completion: ((Result<any ByteTransport, TransportError>) -> Void)?
    private var timer: LoopTimer?
    private var connector: TCPConnector?
    private var handshake: WebSocketClientHandshake?

    /// Begins.
    ///
    /// - Parameter completion: Called once, in a later turn, unless ``cancel()`` comes first. Set the pipe's delegate before returning.
    package init(
        _ url: TransportURL, context: TransportContext, options: TransportDialOptions = TransportDialOptions(),
        completion: @escaping (Result<any ByteTransport, TransportError>) -> Void
    ) {
        self.url = url
        self.context = context
        self.options = options
        self.completion = completion
        let timer = LoopTimer(on: context.loop) { [unowned self] in
            finish(.failure(TransportError(.timedOut, "\(url) did not answer in time")))
        }
        timer.start(after: context.limits.connectTimeout)
        self.timer = timer
        connector = TCPConnector(context: context, host: url.host, port: url.port) { [self] in connected($0) }
    }

    /// Gives up: the completion is not called.
    package func cancel() {
        completion = nil
        stop()
    }

    private func connected(_ result: Result<TCPTransport, TransportError>) {
        connector = nil
        do {
            let tcp = try result.get()
            tcp.start()
            switch url.scheme {
            case .tcp: finish(.success(tcp))
            case .ws: upgrade(tcp)
            case .wss: upgrade(try secure(tcp))
            }
        } catch {
            finish(.failure(error))
        }
    }

    private func secure(_ tcp: TCPTransport) throws(TransportError) -> TLSTransport {
        do throws(TransportError) {
            let tls = if let tls = options.tls { tls } else { try TLSClientContext() }
            return TLSTransport.client(over: tcp, tls, host: url.host)
        } catch {
            tcp.abort()
            throw error
        }
    }

    private func upgrade(_ lower: any ByteTransport) {
        var request = WebSocketRequest(authority: url.authority, target: url.target)
        request.subprotocols = options.subprotocols
        request.fields = options.fields
        handshake = WebSocketClientHandshake(over: lower, request: request) { [self] result in
            handshake = nil
            finish(result.map { $0 as any ByteTransport })
        }
    }

    private func finish(_ result: Result<any ByteTransport, TransportError>) {
        let completion = completion.take()
        stop()
        completion?(result.mapError { TransportError($0.code, "\(url): \($0.message)") })
    }

    private func stop() {
        timer = nil
        connector?.cancel()
        connector = nil
        let handshake = handshake.take()
        handshake?.abort(TransportError(.cancelled, "connecting was given up"))
    }
}

extension TransportURL {
    /// Makes a pipe to the URL.
    ///
    /// - Throws: ``TransportError``, of any code that connecting can have.
    package func connect(
        context: TransportContext, options: TransportDialOptions = TransportDialOptions(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> AsyncTransport {
        let done = LoopChannel<Result<AsyncTransport, TransportError>>(on: context.loop, elementCountMax: 1)
        let dialer = TransportDialer(self, context: context, options: options) { result in
            done.send(result.map(AsyncTransport.init))
        }
        do {
            guard let result = try await done.next() else {
                throw TransportError(.cancelled, "connecting was given up")
            }
            return try result.get()
        } catch {
            dialer.cancel()
            if case .success(let pipe) = done.take() { pipe.transport.abort() }
            throw error
        }
    }
}
