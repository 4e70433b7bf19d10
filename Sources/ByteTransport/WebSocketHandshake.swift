/// The server's side of a WebSocket's beginning: reads one request and answers it.
///
/// It has no deadline: its owner keeps one for everything that comes before a client's first message, and calls ``refuse(_:)``.
package final class WebSocketServerHandshake: ByteTransportDelegate {
    /// What became of the connection.
    package enum Outcome {
        /// It is a WebSocket. Set its delegate before returning: its first messages follow at once.
        case upgraded(WebSocketTransport, HTTPRequest)
        /// It is gone, after an answer in plain HTTP or without one.
        case ended(CloseReason)
    }

    private let lower: any ByteTransport
    private let answer: (HTTPRequest) -> HTTPAnswer
    private var completion: ((Outcome) -> Void)?
    private var parser: HTTPHeadParser
    private var hasAnswered = false
    private var reason: CloseReason?

    /// Begins to read. The pipe keeps the handshake alive.
    ///
    /// - Parameters:
    ///   - answer: Decides what a request is answered with. One that was not, or not rightly, for a WebSocket is refused though it says `upgrade`.
    ///   - completion: Called once.
    package init(
        over lower: any ByteTransport, answer: @escaping (HTTPRequest) -> HTTPAnswer,
        completion: @escaping (Outcome) -> Void
    ) {
        self.lower = lower
        self.answer = answer
        self.completion = completion
        let limits = lower.context.limits
        parser = HTTPHeadParser(byteCountMax: limits.httpHeadByteCountMax, fieldCountMax: limits.httpFieldCountMax)
        lower.delegate = self
    }

    /// Ends the handshake with an answer, for example 408 when the client was too slow.
    package func refuse(_ response: HTTPResponse) {
        guard completion != nil else { return }
        respond(response, isHead: false)
    }

    /// Ends the handshake without a word.
    package func abort() {
        guard completion != nil else { return }
        lower.abort()
    }

    package func received(_ bytes: UnsafeMutableRawBufferPointer) {
        guard !hasAnswered else { return }
        do throws(HTTPHeadParser.Failure) {
            guard let (head, consumed) = try parser.feed(UnsafeRawBufferPointer(bytes)) else { return }
            handle(try HTTPRequest(head), rest: UnsafeMutableRawBufferPointer(rebasing: bytes[consumed...]))
        } catch {
            reason = .failed(TransportError(.protocolViolation, "not a usable HTTP request: \(error)"))
            respond(error.response, isHead: false)
        }
    }

    package func becameWritable() {}

    package func readEnded() {
        if reason == nil, !hasAnswered {
            reason = .failed(TransportError(.truncated, "the client went away before its request was whole"))
        }
        lower.close()
    }

    package func closed(_ reason: CloseReason) {
        completion.take()?(.ended(self.reason ?? reason))
    }

    private func handle(_ request: HTTPRequest, rest: UnsafeMutableRawBufferPointer) {
        guard !HTTPUpgrade.hasBody(request) else {
            return respond(HTTPResponse(status: 400, text: "Requests have no body here.\n"), isHead: false)
        }
        switch answer(request) {
        case .respond(let response):
            respond(response, isHead: request.method == "HEAD")
        case .upgrade(let subprotocol):
            if let refusal = HTTPUpgrade.refusal(of: request) {
                respond(refusal, isHead: request.method == "HEAD")
            } else {
                upgrade(request, subprotocol, rest)
            }
        }
    }

    private func upgrade(_ request: HTTPRequest, _ subprotocol: String?, _ rest: UnsafeMutableRawBufferPointer) {
        hasAnswered = true
        lower.write(HTTPUpgrade.response(to: request, subprotocol: subprotocol))
        let transport = WebSocketTransport(over: lower, role: .server, subprotocol: subprotocol)
        completion.take()?(.upgraded(transport, request))
        if !rest.isEmpty { transport.received(rest) }
    }

    private func respond(_ response: HTTPResponse, isHead: Bool) {
        guard !hasAnswered else { return }
        hasAnswered = true
        lower.write(response.bytes(isHead: isHead))
        lower.close()
    }
}

extension HTTPHeadParser.Failure {
    fileprivate var response: HTTPResponse {
        switch self {
        case .tooLarge, .tooManyFields: HTTPResponse(status: 431, text: "The request's head is too large.\n")
        case .malformed: HTTPResponse(status: 400, text: "This is not a request in HTTP/1.1.\n")
        case .unsupportedVersion: HTTPResponse(status: 505, text: "This server speaks HTTP/1.1.\n")
        }
    }
}

/// The client's side of a WebSocket's beginning: sends one request and checks its answer. It has no deadline.
package final class WebSocketClientHandshake: ByteTransportDelegate {
    private let lower: any ByteTransport
    private let request: WebSocketRequest
    private let key: String
    private var completion: ((Result<WebSocketTransport, TransportError>) -> Void)?
    private var parser: HTTPHeadParser

    /// Sends the request. The pipe keeps the handshake alive.
    ///
    /// - Parameter completion: Called once. Set the delegate of the WebSocket before returning: its first messages follow at once.
    package init(
        over lower: any ByteTransport, request: WebSocketRequest,
        completion: @escaping (Result<WebSocketTransport, TransportError>) -> Void
    ) {
        self.lower = lower
        self.request = request
        self.completion = completion
        key = HTTPUpgrade.makeKey()
        let limits = lower.context.limits
        parser = HTTPHeadParser(byteCountMax: limits.httpHeadByteCountMax, fieldCountMax: limits.httpFieldCountMax)
        lower.delegate = self
        lower.write(HTTPUpgrade.request(request, key: key))
    }

    /// Gives up: the completion gets the error.
    package func abort(_ error: TransportError) {
        guard let completion = completion.take() else { return }
        lower.abort()
        completion(.failure(error))
    }

    package func received(_ bytes: UnsafeMutableRawBufferPointer) {
        guard completion != nil else { return }
        do throws(TransportError) {
            guard let (head, consumed) = try parse(bytes) else { return }
            let subprotocol = try HTTPUpgrade.check(head, to: request, key: key)
            let transport = WebSocketTransport(over: lower, role: .client, subprotocol: subprotocol)
            completion.take()?(.success(transport))
            let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[consumed...])
            if !rest.isEmpty { transport.received(rest) }
        } catch {
            abort(error)
        }
    }

    package func becameWritable() {}

    package func readEnded() {
        abort(TransportError(.truncated, "the server went away before it had answered"))
    }

    package func closed(_ reason: CloseReason) {
        guard let completion = completion.take() else { return }
        switch reason {
        case .failed(let error):
            completion(.failure(error))
        case .closedByPeer, .closedLocally:
            completion(.failure(TransportError(.cancelled, "the connection was closed before it was a WebSocket")))
        }
    }

    private func parse(
        _ bytes: UnsafeMutableRawBufferPointer
    ) throws(TransportError) -> (head: HTTPHeadParser.Head, consumed: Int)? {
        do {
            return try parser.feed(UnsafeRawBufferPointer(bytes))
        } catch {
            throw TransportError(.protocolViolation, "the server's answer is not usable HTTP: \(error)")
        }
    }
}
