/// The first line and the fields of an HTTP/1.1 message (RFC 9112), as far as a WebSocket handshake and a health check need them.
package struct HTTPFields: Sendable, Equatable {
    private var fields: [(name: String, value: String)] = []

    package init() {}

    /// - Parameter name: Compared without regard to case.
    package mutating func append(_ name: String, _ value: String) {
        fields.append((name.lowercased(), value))
    }

    package var count: Int {
        fields.count
    }

    /// All values of a field, in order, or none.
    package func values(_ name: String) -> [String] {
        let name = name.lowercased()
        return fields.filter { $0.name == name }.map(\.value)
    }

    /// The value of a field that comes once. Nil if it is absent or comes more often.
    package func single(_ name: String) -> String? {
        let values = values(name)
        return values.count == 1 ? values[0] : nil
    }

    /// The elements of a field that is a list with commas, of all its lines, without empty ones.
    package func list(_ name: String) -> [String] {
        values(name).flatMap { $0.split(separator: ",") }.map { $0.trimmingSpaces() }.filter { !$0.isEmpty }
    }

    /// Whether a list has the token, without regard to case.
    package func list(_ name: String, contains token: String) -> Bool {
        list(name).contains { $0.lowercased() == token }
    }

    package static func == (left: HTTPFields, right: HTTPFields) -> Bool {
        left.fields.elementsEqual(right.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    /// As they stand in a message.
    var text: String {
        fields.map { "\($0.name): \($0.value)\r\n" }.joined()
    }
}

/// A request's head.
package struct HTTPRequest: Sendable, Equatable {
    package let method: String
    /// As the client sent it, for example `/health?verbose`.
    package let target: String
    /// 1 of HTTP/1.1; only that can become a WebSocket.
    package let minorVersion: Int
    package let fields: HTTPFields

    /// The target without its query.
    package var path: String {
        String(target.prefix { $0 != "?" })
    }

    /// The page that opened the connection, when it is a browser's.
    package var origin: String? {
        fields.single("origin")
    }

    /// The first element of `X-Forwarded-For`: who the nearest trusted proxy says the client is. Only worth anything behind such a proxy.
    package var forwardedFor: String? {
        fields.list("x-forwarded-for").first
    }
}

/// What a plain HTTP request is answered with.
package struct HTTPResponse: Sendable, Equatable {
    package var status: Int
    package var fields = HTTPFields()
    package var body: [UInt8]

    package init(status: Int, fields: HTTPFields = HTTPFields(), body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// An answer in plain text.
    package init(status: Int, text: String) {
        self.init(status: status, body: Array(text.utf8))
        fields.append("content-type", "text/plain; charset=utf-8")
    }

    /// The bytes of the answer, after which the connection is closed.
    ///
    /// - Parameter isHead: The answer to HEAD announces the body and leaves it out.
    func bytes(isHead: Bool) -> [UInt8] {
        // Whoever names a protocol to upgrade to lists that field as one of the connection's own (RFC 9110, section 7.8).
        let connection = fields.values("upgrade").isEmpty ? "close" : "close, upgrade"
        let head = """
            HTTP/1.1 \(status) \(Self.reason(of: status))\r
            \(fields.text)content-length: \(body.count)\r
            connection: \(connection)\r
            \r

            """
        return Array(head.utf8) + (isHead ? [] : body)
    }

    static func reason(of status: Int) -> String {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 426: "Upgrade Required"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Status"
        }
    }
}

extension StringProtocol {
    /// Without the spaces and tabs around it.
    func trimmingSpaces() -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
