/// The rules by which HTTP/1.1 becomes WebSocket (RFC 6455, section 4), for both sides, as functions of heads.
enum HTTPUpgrade {
    static let version = "13"

    /// What proves that a server has understood the request: base64 of SHA-1 of the key and a constant.
    static func accept(for key: String) -> String {
        Base64.encode(OpenSSL.sha1(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }
}

// MARK: - The server's side

/// What a server does with a request that it may upgrade.
package enum HTTPAnswer: Sendable, Equatable {
    /// Becomes a WebSocket, with one of the subprotocols the client offered or none.
    case upgrade(subprotocol: String? = nil)
    /// Is answered as plain HTTP, and the connection is closed.
    case respond(HTTPResponse)
}

extension HTTPUpgrade {
    /// Whether the client asks for a WebSocket at all, rightly or not.
    static func isRequested(by request: HTTPRequest) -> Bool {
        request.fields.list("upgrade", contains: "websocket")
    }

    /// Why a request cannot become a WebSocket, as what to answer. Nil if it can.
    static func refusal(of request: HTTPRequest) -> HTTPResponse? {
        guard isRequested(by: request) else { return upgradeRequired("This address speaks WebSocket.\n") }
        guard request.method == "GET" else { return HTTPResponse(status: 405, text: "A WebSocket begins with GET.\n") }
        guard request.minorVersion == 1, request.fields.list("connection", contains: "upgrade") else {
            return HTTPResponse(status: 400, text: "A WebSocket needs HTTP/1.1 and the field Connection: Upgrade.\n")
        }
        guard request.fields.single("sec-websocket-version") == version else {
            return upgradeRequired("This server speaks version 13 of WebSocket.\n")
        }
        guard let key = request.fields.single("sec-websocket-key"), Base64.decodedCount(key) == 16 else {
            return HTTPResponse(status: 400, text: "Sec-WebSocket-Key is 16 bytes in base64.\n")
        }
        return nil
    }

    private static func upgradeRequired(_ text: String) -> HTTPResponse {
        var response = HTTPResponse(status: 426, text: text)
        response.fields.append("upgrade", "websocket")
        response.fields.append("sec-websocket-version", version)
        return response
    }

    /// Whether the request says that a body follows. We read none.
    static func hasBody(_ request: HTTPRequest) -> Bool {
        let lengths = request.fields.values("content-length")
        return !request.fields.values("transfer-encoding").isEmpty || lengths.contains { $0 != "0" }
    }

    /// The bytes that turn the connection into a WebSocket.
    ///
    /// - Parameter request: One that ``refusal(of:)`` finds nothing wrong with.
    static func response(to request: HTTPRequest, subprotocol: String?) -> [UInt8] {
        var fields = HTTPFields()
        fields.append("upgrade", "websocket")
        fields.append("connection", "Upgrade")
        fields.append("sec-websocket-accept", accept(for: request.fields.single("sec-websocket-key") ?? ""))
        if let subprotocol { fields.append("sec-websocket-protocol", subprotocol) }
        return Array("HTTP/1.1 101 Switching Protocols\r\n\(fields.text)\r\n".utf8)
    }
}

// MARK: - The client's side

/// What a client asks for.
package struct WebSocketRequest: Sendable {
    /// The host of the URL, with its port unless it is the scheme's own.
    package var authority: String
    /// The path and query of the URL.
    package var target: String
    /// Subprotocols, the best first. None by default, as the relay protocol has none.
    package var subprotocols: [String] = []
    /// More fields, for example `authorization`.
    package var fields = HTTPFields()

    package init(authority: String, target: String) {
        self.authority = authority
        self.target = target
    }
}

extension HTTPUpgrade {
    /// 16 random bytes in base64, by which an answer is known to be one to this request.
    static func makeKey() -> String {
        var generator = SystemRandomNumberGenerator()
        return Base64.encode((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    static func request(_ request: WebSocketRequest, key: String) -> [UInt8] {
        var fields = HTTPFields()
        fields.append("host", request.authority)
        fields.append("upgrade", "websocket")
        fields.append("connection", "Upgrade")
        fields.append("sec-websocket-key", key)
        fields.append("sec-websocket-version", version)
        if !request.subprotocols.isEmpty {
            fields.append("sec-websocket-protocol", request.subprotocols.joined(separator: ", "))
        }
        return Array("GET \(request.target) HTTP/1.1\r\n\(fields.text)\(request.fields.text)\r\n".utf8)
    }

    /// Checks the server's answer.
    ///
    /// - Returns: The subprotocol, if one was agreed on.
    static func check(
        _ head: HTTPHeadParser.Head, to request: WebSocketRequest, key: String
    ) throws(TransportError) -> String? {
        let status: Int
        do {
            status = try HTTPStatusLine(head.startLine).status
        } catch {
            throw TransportError(.protocolViolation, "the server does not answer in HTTP")
        }
        guard status == 101 else {
            throw TransportError(.upgradeRefused, "the server answered with status \(status) and no WebSocket")
        }
        guard head.fields.list("upgrade", contains: "websocket"), head.fields.list("connection", contains: "upgrade"),
            head.fields.single("sec-websocket-accept") == accept(for: key)
        else {
            throw TransportError(.protocolViolation, "the server's answer is not one to a request for a WebSocket")
        }
        guard head.fields.list("sec-websocket-extensions").isEmpty else {
            throw TransportError(.protocolViolation, "the server uses an extension that it was not asked for")
        }
        return try checkSubprotocol(head, offered: request.subprotocols)
    }

    private static func checkSubprotocol(
        _ head: HTTPHeadParser.Head, offered: [String]
    ) throws(TransportError) -> String? {
        let chosen = head.fields.values("sec-websocket-protocol")
        guard let subprotocol = chosen.first else { return nil }
        guard chosen.count == 1, offered.contains(subprotocol) else {
            throw TransportError(.protocolViolation, "the server chose a subprotocol that it was not offered")
        }
        return subprotocol
    }
}
