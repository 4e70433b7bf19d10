/// Where a relay listens: `ws://host[:port][/path]`, `wss://…` or `tcp://host:port`.
package struct TransportURL: Sendable, Hashable, CustomStringConvertible {
    /// What is spoken there.
    package enum Scheme: String, Sendable {
        case ws, wss, tcp

        /// The port that need not be said; none for `tcp`.
        package var defaultPort: UInt16? {
            switch self {
            case .ws: 80
            case .wss: 443
            case .tcp: nil
            }
        }
    }

    package let scheme: Scheme
    /// A name or an address, without brackets.
    package let host: String
    package let port: UInt16
    /// The path and the query, beginning with a slash. Always `/` for `tcp`.
    package let target: String

    /// Reads a URL.
    ///
    /// - Throws: ``TransportError/Code/invalidURL`` with a sentence that says what to change.
    package init(_ text: String) throws(TransportError) {
        guard let separator = text.firstRange(of: "://") else {
            throw Self.invalid(text, "it does not begin with ws://, wss:// or tcp://")
        }
        guard let scheme = Scheme(rawValue: text[..<separator.lowerBound].lowercased()) else {
            throw Self.invalid(text, "it does not begin with ws://, wss:// or tcp://")
        }
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else { throw Self.invalid(text, "a name or password in it is not supported") }
        let (host, portText) = try Self.split(authority, of: text)
        self.scheme = scheme
        self.host = host
        port = try Self.port(portText, scheme, of: text)
        target = try Self.target(rest[authority.endIndex...], scheme, of: text)
    }

    /// The host as it stands in a URL and in the field `Host`: an IPv6 address in brackets, the port unless it is the scheme's own.
    package var authority: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port == scheme.defaultPort ? host : "\(host):\(port)"
    }

    /// The URL in its shortest form.
    package var description: String {
        "\(scheme.rawValue)://\(authority)\(target == "/" ? "" : target)"
    }

    private static func split(
        _ authority: Substring, of text: String
    ) throws(TransportError) -> (host: String, port: Substring?) {
        if authority.first == "[" {
            guard let bracket = authority.firstIndex(of: "]") else { throw invalid(text, "a bracket is not closed") }
            let host = String(authority[authority.index(after: authority.startIndex)..<bracket])
            guard SocketAddress(host: host, port: 0)?.family == .ipv6 else {
                throw invalid(text, "what is in brackets is no IPv6 address")
            }
            let rest = authority[authority.index(after: bracket)...]
            guard rest.isEmpty || rest.first == ":" else { throw invalid(text, "a port follows the bracket") }
            return (host, rest.isEmpty ? nil : rest.dropFirst())
        }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { throw invalid(text, "an IPv6 address stands in brackets") }
        guard let host = parts.first, !host.isEmpty, host.utf8.allSatisfy(isHostByte) else {
            throw invalid(text, "the host is missing or has characters that no host has")
        }
        return (String(host), parts.count == 2 ? parts[1] : nil)
    }

    private static func port(
        _ text: Substring?, _ scheme: Scheme, of url: String
    ) throws(TransportError) -> UInt16 {
        if let text, !text.isEmpty {
            guard text.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(text), port > 0 else {
                throw invalid(url, "a port is a number from 1 to 65535")
            }
            return port
        }
        guard let port = scheme.defaultPort else { throw invalid(url, "tcp:// needs a port") }
        return port
    }

    private static func target(
        _ text: Substring, _ scheme: Scheme, of url: String
    ) throws(TransportError) -> String {
        guard text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw invalid(url, "its path has characters that must be encoded")
        }
        guard !text.contains("#") else { throw invalid(url, "a fragment means nothing here") }
        guard scheme != .tcp || text.isEmpty || text == "/" else { throw invalid(url, "tcp:// has no path") }
        if text.isEmpty { return "/" }
        return text.first == "/" ? String(text) : "/" + text
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 45, 46, 48...57, 65...90, 95, 97...122: true
        default: false
        }
    }

    private static func invalid(_ text: String, _ why: String) -> TransportError {
        TransportError(.invalidURL, "«\(text)» is no URL of a relay: \(why)")
    }
}
