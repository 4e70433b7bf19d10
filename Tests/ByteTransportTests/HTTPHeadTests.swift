import Testing

@testable import ByteTransport

/// Feeds text to a parser, in pieces; the head, or the failure, and what was not consumed.
private func parse(
    _ text: String, inPiecesOf pieceByteCount: Int = Int.max, byteCountMax: Int = 1000, fieldCountMax: Int = 10
) -> Result<(head: HTTPHeadParser.Head, rest: String)?, HTTPHeadParser.Failure> {
    var parser = HTTPHeadParser(byteCountMax: byteCountMax, fieldCountMax: fieldCountMax)
    let bytes = Array(text.utf8)
    var start = 0
    while start < bytes.count {
        let end = bytes.count - start > pieceByteCount ? start + pieceByteCount : bytes.count
        do throws(HTTPHeadParser.Failure) {
            let piece = Array(bytes[start..<end])
            if let (head, consumed) = try feed(&parser, piece) {
                return .success((head, String(decoding: bytes[(start + consumed)...], as: UTF8.self)))
            }
        } catch {
            return .failure(error)
        }
        start = end
    }
    return .success(nil)
}

private func feed(
    _ parser: inout HTTPHeadParser, _ piece: [UInt8]
) throws(HTTPHeadParser.Failure) -> (head: HTTPHeadParser.Head, consumed: Int)? {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
    defer { bytes.deallocate() }
    bytes.copyBytes(from: piece)
    return try parser.feed(UnsafeRawBufferPointer(bytes))
}

private func failure(_ text: String, byteCountMax: Int = 1000, fieldCountMax: Int = 10) -> HTTPHeadParser.Failure? {
    switch parse(text, byteCountMax: byteCountMax, fieldCountMax: fieldCountMax) {
    case .failure(let failure): return failure
    case .success(let result):
        guard let head = result?.head else { return nil }
        do throws(HTTPHeadParser.Failure) {
            _ = try HTTPRequest(head)
            return nil
        } catch {
            return error
        }
    }
}

/// The request of RFC 6455, section 1.2.
private let sample = """
    GET /chat HTTP/1.1\r
    Host: server.example.com\r
    Upgrade: websocket\r
    Connection: Upgrade\r
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
    Origin: http://example.com\r
    Sec-WebSocket-Protocol: chat, superchat\r
    Sec-WebSocket-Version: 13\r
    \r

    """

private func request(_ text: String) throws -> HTTPRequest {
    let result = try parse(text, byteCountMax: 10000).get()
    return try HTTPRequest(try #require(result).head)
}

@Suite("HTTP head") struct HTTPHeadTests {
    @Test("A request reads the same however it is cut", arguments: [1, 2, 3, 4, 5, 7, 64, Int.max])
    func cuts(piece: Int) throws {
        let result = try #require(try parse(sample + "rest", inPiecesOf: piece).get())
        #expect(result.rest == "rest")
        let request = try HTTPRequest(result.head)
        #expect(request.method == "GET" && request.target == "/chat" && request.minorVersion == 1)
        #expect(request.fields.count == 7)
        #expect(request.fields.single("HOST") == "server.example.com")
        #expect(request.fields.list("sec-websocket-protocol") == ["chat", "superchat"])
        #expect(request.origin == "http://example.com")
    }

    @Test("A head that is cut short waits") func waits() throws {
        for count in 0..<sample.utf8.count {
            let text = String(decoding: Array(sample.utf8).prefix(count), as: UTF8.self)
            #expect(try parse(text).get() == nil)
        }
    }

    @Test("The path is the target without its query") func path() throws {
        #expect(try request("GET /health?x=/y HTTP/1.1\r\nHost: a\r\n\r\n").path == "/health")
        #expect(try request("GET / HTTP/1.1\r\nHost: a\r\n\r\n").path == "/")
    }

    @Test("The client behind a proxy is the first that X-Forwarded-For names") func forwardedFor() throws {
        func forwardedFor(_ fields: String) throws -> String? {
            try request("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n").forwardedFor
        }
        #expect(try forwardedFor("") == nil)
        #expect(try forwardedFor("X-Forwarded-For: 192.0.2.1\r\n") == "192.0.2.1")
        #expect(try forwardedFor("x-forwarded-for:  192.0.2.1 , 198.51.100.2\r\n") == "192.0.2.1")
        #expect(try forwardedFor("X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-For: 192.0.2.9\r\n") == "2001:db8::1")
        #expect(try forwardedFor("X-Forwarded-For:\r\n") == nil)
    }

    @Test(
        "What is not HTTP/1.1 is refused",
        arguments: [
            "GET / HTTP/1.1\nHost: a\n\n\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost\r\n\r\n",
            "GET / HTTP/1.1\r\n: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nHo\u{0}st: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\u{0}\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\nH st: a\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET /\r\nHost: a\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            "GET /ä HTTP/1.1\r\nHost: a\r\n\r\n", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTPS/1.1\r\nHost: a\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            // Refused at the first byte, without waiting for more.
            "\u{16}\u{3}\u{1}", "get",
        ])
    func malformed(text: String) {
        #expect(failure(text) == .malformed)
    }

    @Test("Another version is refused", arguments: ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/1.1.1", "HTTP/"])
    func version(text: String) {
        #expect(failure("GET / \(text)\r\nHost: a\r\n\r\n") == .unsupportedVersion)
    }

    @Test("HTTP/1.0 needs no host") func oldVersion() throws {
        #expect(try request("GET / HTTP/1.0\r\n\r\n").minorVersion == 0)
    }

    @Test("A head of the limit is read, one byte more is not") func byteLimit() {
        let text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(failure(text, byteCountMax: text.utf8.count) == nil)
        #expect(failure(text, byteCountMax: text.utf8.count - 1) == .tooLarge)
        // Also when it never ends.
        #expect(failure(String(repeating: "A", count: 1001)) == .tooLarge)
        #expect(failure(String(repeating: "A", count: 1000)) == nil)
    }

    @Test("As many fields as the limit are read, one more is not") func fieldLimit() {
        let text = "GET / HTTP/1.1\r\nHost: a\r\n" + (0..<9).map { "x\($0): y\r\n" }.joined()
        #expect(failure(text + "\r\n") == nil)
        #expect(failure(text + "z: z\r\n\r\n") == .tooManyFields)
    }

    @Test(
        "A response has a status",
        arguments: [("HTTP/1.1 101 Switching Protocols", 101), ("HTTP/1.1 404", 404), ("HTTP/1.0 200 ", 200)])
    func status(line: String, status: Int) throws {
        #expect(try HTTPStatusLine(line).status == status)
    }

    @Test(
        "A malformed status is refused",
        arguments: [
            "HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 +10", "HTTP/2 200", "HTTP/1.1  200", "HTTP/1.1 099",
        ])
    func malformedStatus(line: String) {
        #expect(throws: HTTPHeadParser.Failure.malformed) { try HTTPStatusLine(line) }
    }
}

@Suite("HTTP upgrade") struct HTTPUpgradeTests {
    @Test("The answer to the standard's example") func example() throws {
        let response = String(
            decoding: HTTPUpgrade.response(to: try request(sample), subprotocol: "chat"), as: UTF8.self)
        #expect(response.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        #expect(response.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(response.contains("sec-websocket-protocol: chat\r\n"))
        #expect(response.hasSuffix("\r\n\r\n"))
        #expect(HTTPUpgrade.refusal(of: try request(sample)) == nil)
    }

    @Test(
        "A request that is not for a WebSocket is refused with what would help",
        arguments: [
            ("Upgrade: websocket", "Upgrade: h2c", 426), ("Upgrade: websocket\r\n", "", 426),
            ("GET", "POST", 405), ("HTTP/1.1", "HTTP/1.0", 400),
            ("Connection: Upgrade", "Connection: keep-alive", 400),
            ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", 426),
            ("Sec-WebSocket-Version: 13\r\n", "", 426),
            ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ", 400),
            ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", 400),
            ("dGhlIHNhbXBsZSBub25jZQ==", "????????????????????????", 400), ("dGhlIHNhbXBsZSBub25jZQ==", "", 400),
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400),
        ])
    func refusals(old: String, new: String, status: Int) throws {
        let text = sample.replacing(old, with: new)
        let refusal = HTTPUpgrade.refusal(of: try request(text))
        #expect(refusal?.status == status)
        #expect((status == 426) == (refusal?.fields.single("sec-websocket-version") == "13"))
    }

    @Test("Browsers' and proxies' forms of the fields are taken") func forms() throws {
        let text = sample.replacing("Upgrade: websocket", with: "upgrade: WebSocket")
            .replacing("Connection: Upgrade", with: "CONNECTION: keep-alive, upgrade")
        #expect(HTTPUpgrade.refusal(of: try request(text)) == nil)
    }

    @Test("A request with a body is known") func body() throws {
        func hasBody(_ fields: String) throws -> Bool {
            HTTPUpgrade.hasBody(try request("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"))
        }
        #expect(try !hasBody(""))
        #expect(try !hasBody("Content-Length: 0\r\n"))
        #expect(try hasBody("Content-Length: 1\r\n"))
        #expect(try hasBody("Content-Length: 0\r\nContent-Length: 5\r\n"))
        #expect(try hasBody("Transfer-Encoding: chunked\r\n"))
    }

    @Test("A client's request is one that a server upgrades") func clientRequest() throws {
        var request = WebSocketRequest(authority: "relay.example:8080", target: "/path?x")
        request.subprotocols = ["a", "b"]
        request.fields.append("authorization", "x")
        let text = String(decoding: HTTPUpgrade.request(request, key: HTTPUpgrade.makeKey()), as: UTF8.self)
        let parsed = try ByteTransportTests.request(text)
        #expect(HTTPUpgrade.refusal(of: parsed) == nil)
        #expect(parsed.target == "/path?x")
        #expect(parsed.fields.single("host") == "relay.example:8080")
        #expect(parsed.fields.list("sec-websocket-protocol") == ["a", "b"])
        #expect(parsed.fields.single("authorization") == "x")
        #expect(HTTPUpgrade.makeKey() != HTTPUpgrade.makeKey())
    }

    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    private static let answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

    private func check(_ text: String) throws -> String? {
        let head = try #require(try parse(text).get()).head
        var request = WebSocketRequest(authority: "a", target: "/")
        request.subprotocols = ["chat"]
        return try HTTPUpgrade.check(head, to: request, key: Self.key)
    }

    @Test("A right answer is taken, with its subprotocol") func rightAnswer() throws {
        #expect(try check(Self.answer) == nil)
        #expect(
            try check(Self.answer.replacing("\r\n\r\n", with: "\r\nSec-WebSocket-Protocol: chat\r\n\r\n")) == "chat")
    }

    @Test(
        "A wrong answer is refused with the reason",
        arguments: [
            ("101 Switching Protocols", "200 OK", TransportError.Code.upgradeRefused), ("101", "426", .upgradeRefused),
            ("HTTP/1.1 101", "SSH-2.0", .protocolViolation), ("Upgrade: websocket", "Upgrade: h2c", .protocolViolation),
            ("Connection: Upgrade", "Connection: close", .protocolViolation), ("s3pPL", "S3pPL", .protocolViolation),
            ("\r\n\r\n", "\r\nSec-WebSocket-Protocol: other\r\n\r\n", .protocolViolation),
            (
                "\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
                .protocolViolation
            ),
            ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", .protocolViolation),
        ])
    func wrongAnswer(old: String, new: String, code: TransportError.Code) {
        let error = #expect(throws: TransportError.self) { try check(Self.answer.replacing(old, with: new)) }
        #expect(error?.code == code)
    }

    @Test(
        "Base64 is the standard's",
        arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decodedCount(encoded) == text.utf8.count)
    }

    @Test("What is not base64 has no length", arguments: ["Zg=", "Z===", "====", "Zg==Zg==", "Zm9*", "Z=8="])
    func notBase64(text: String) {
        #expect(Base64.decodedCount(text) == nil)
    }

    @Test("Answers in plain HTTP have a length and close") func plainAnswer() {
        let response = HTTPResponse(status: 404, text: "no\n")
        let text = String(decoding: response.bytes(isHead: false), as: UTF8.self)
        #expect(
            text
                == "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 3\r\nconnection: close\r\n\r\nno\n"
        )
        #expect(String(decoding: response.bytes(isHead: true), as: UTF8.self) == text.dropLast(3))
    }
}
