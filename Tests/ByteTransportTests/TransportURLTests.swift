import ByteTransport
import Testing

@Suite("Transport URL") struct TransportURLTests {
    @Test(
        "A URL has the parts it says, or its scheme's own",
        arguments: [
            ("ws://relay.example", "ws", "relay.example", 80, "/", "relay.example"),
            ("wss://relay.example/", "wss", "relay.example", 443, "/", "relay.example"),
            ("WSS://Relay.example:443/x", "wss", "Relay.example", 443, "/x", "Relay.example"),
            ("ws://127.0.0.1:49443", "ws", "127.0.0.1", 49443, "/", "127.0.0.1:49443"),
            ("ws://[::1]:49443/a/b?c=d", "ws", "::1", 49443, "/a/b?c=d", "[::1]:49443"),
            ("wss://[2001:db8::1]", "wss", "2001:db8::1", 443, "/", "[2001:db8::1]"),
            ("ws://host?query", "ws", "host", 80, "/?query", "host"),
            ("ws://host:/", "ws", "host", 80, "/", "host"),
            ("tcp://host:1", "tcp", "host", 1, "/", "host:1"),
            ("tcp://[::1]:65535/", "tcp", "::1", 65535, "/", "[::1]:65535"),
        ])
    func parts(text: String, scheme: String, host: String, port: Int, target: String, authority: String) throws {
        let url = try TransportURL(text)
        #expect(url.scheme.rawValue == scheme && url.host == host && url.port == UInt16(port))
        #expect(url.target == target && url.authority == authority)
        #expect(try TransportURL(url.description) == url)
    }

    @Test(
        "What is no URL of a relay is refused with the reason",
        arguments: [
            ("", "begin"), ("relay.example", "begin"), ("http://relay.example", "begin"), ("ws:/x", "begin"),
            ("://x", "begin"),
            ("ws://", "host"), ("ws://:80", "host"), ("ws:///path", "host"), ("ws://ho st", "host"),
            ("ws://höst", "host"),
            ("ws://host:0", "port"), ("ws://host:65536", "port"), ("ws://host:+1", "port"), ("ws://host:80x", "port"),
            ("tcp://host", "port"), ("ws://::1", "brackets"), ("ws://[::1", "bracket"), ("ws://[::1]x", "bracket"),
            ("ws://[127.0.0.1]", "IPv6"), ("ws://[]", "IPv6"), ("ws://a:b@host", "password"),
            ("ws://host/#x", "fragment"),
            ("ws://host/ä", "encoded"), ("ws://host/a b", "encoded"), ("tcp://host:1/x", "path"),
            ("tcp://host:1?x", "path"),
        ])
    func malformed(text: String, why: String) {
        let error = #expect(throws: TransportError.self) { try TransportURL(text) }
        #expect(error?.code == .invalidURL)
        #expect(error?.message.contains(why) == true, "\(error?.message ?? "")")
    }

    @Test("An address prints as it reads") func addresses() throws {
        let ipv4 = try #require(SocketAddress(host: "127.0.0.1", port: 80))
        #expect(ipv4.family == .ipv4 && ipv4.host == "127.0.0.1" && ipv4.port == 80 && "\(ipv4)" == "127.0.0.1:80")
        let ipv6 = try #require(SocketAddress(host: "::ffff:127.0.0.1", port: 65535))
        #expect(ipv6.family == .ipv6 && ipv6.host == "::ffff:127.0.0.1" && "\(ipv6)" == "[::ffff:127.0.0.1]:65535")
        #expect(SocketAddress(host: "localhost", port: 1) == nil)
        #expect(SocketAddress(host: "256.0.0.1", port: 1) == nil)
        #expect(ipv4.with(port: 81) == SocketAddress(host: "127.0.0.1", port: 81))
    }
}
