import Testing

@testable import ByteTransport

/// Gathers what a machine sends.
private final class Wire: TLSOutput {
    private(set) var bytes: [UInt8] = []

    func send(_ ciphertext: UnsafeRawBufferPointer) {
        bytes += ciphertext
    }

    func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}

/// One side: a machine, what it sends, and what it has said.
private final class Side {
    let wire = Wire()
    var machine: TLSStateMachine
    private(set) var plaintext: [UInt8] = []
    private(set) var isEstablished = false
    private(set) var hasPeerEnded = false
    private(set) var error: TransportError?

    var version: String { machine.version }
    var applicationProtocol: String? { machine.applicationProtocol }
    var isResumed: Bool { machine.isResumed }

    init(server: TLSServerContext) {
        machine = TLSStateMachine(server: server, output: wire)
    }

    init(client: TLSClientContext, host: String) {
        machine = TLSStateMachine(client: client, host: host, output: wire)
        receive([])
    }

    func receive(_ bytes: [UInt8], inPiecesOf pieceByteCount: Int = Int.max) {
        var start = 0
        repeat {
            let end = bytes.count - start > pieceByteCount ? start + pieceByteCount : bytes.count
            Array(bytes[start..<end]).withUnsafeBytes { piece in
                machine.feed(piece)
                listen()
            }
            start = end
        } while start < bytes.count
    }

    func send(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try machine.send($0) }
    }

    private func listen() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 30000, alignment: 1)
        defer { buffer.deallocate() }
        while true {
            switch machine.next(into: buffer) {
            case .needsInput: return
            case .established: isEstablished = true
            case .plaintext(let count): plaintext += buffer[..<count]
            case .ended: hasPeerEnded = true
            case .failed(let error): self.error = error
            }
        }
    }
}

/// Passes bytes to and fro until neither side has anything to say.
private func converse(_ client: Side, _ server: Side, inPiecesOf pieceByteCount: Int = Int.max) {
    while true {
        let forServer = client.wire.take()
        let forClient = server.wire.take()
        if forServer.isEmpty, forClient.isEmpty { return }
        if !forServer.isEmpty { server.receive(forServer, inPiecesOf: pieceByteCount) }
        if !forClient.isEmpty { client.receive(forClient, inPiecesOf: pieceByteCount) }
    }
}

private func trusting() throws -> TLSClientContext {
    try TLSClientContext(trust: .certificates(Certificates.root))
}

@Suite("TLS state machine") struct TLSStateMachineTests {
    @Test("Both sides agree and exchange bytes, however they are cut", arguments: [1, 7, 1000, Int.max])
    func exchange(piece: Int) throws {
        let context = try TLSServerContext([Certificates.local])
        let server = Side(server: context)
        let client = Side(client: try trusting(), host: "localhost")
        converse(client, server, inPiecesOf: piece)
        #expect(client.isEstablished && server.isEstablished)
        #expect(client.version == "TLSv1.3" && server.version == "TLSv1.3")
        #expect(client.applicationProtocol == "http/1.1")
        #expect(server.applicationProtocol == "http/1.1")

        let sent = pattern(50000)
        try client.send(sent)
        try server.send([1, 2, 3])
        try server.send([4])
        converse(client, server, inPiecesOf: piece)
        #expect(server.plaintext == sent)
        #expect(client.plaintext == [1, 2, 3, 4])
    }

    @Test("The end of one direction is told; the other goes on") func finish() throws {
        let server = Side(server: try TLSServerContext([Certificates.local]))
        let client = Side(client: try trusting(), host: "localhost")
        converse(client, server)
        try client.send([1])
        client.machine.finish()
        client.machine.finish()
        converse(client, server)
        #expect(server.plaintext == [1] && server.hasPeerEnded && !client.hasPeerEnded)
        try server.send([2])
        server.machine.finish()
        converse(client, server)
        #expect(client.plaintext == [2] && client.hasPeerEnded)
    }

    @Test(
        "A name or address of the certificate is accepted",
        arguments: ["localhost", "LOCALHOST", "127.0.0.1", "::1"])
    func rightHost(host: String) throws {
        let server = Side(server: try TLSServerContext([Certificates.local]))
        let client = Side(client: try trusting(), host: host)
        converse(client, server)
        #expect(client.isEstablished && server.isEstablished)
    }

    @Test(
        "A certificate for another host is refused, and the server learns of it",
        arguments: ["other.example", "localhost.example", "127.0.0.2", "::2", "local"])
    func wrongHost(host: String) throws {
        let server = Side(server: try TLSServerContext([Certificates.local]))
        let client = Side(client: try trusting(), host: host)
        converse(client, server)
        #expect(!client.isEstablished && client.error?.code == .certificateRejected)
        #expect(client.error?.message.contains("mismatch") == true)
        #expect(server.error?.code == .tlsFailed)
        #expect(server.error?.message.contains("certificate") == true)
    }

    @Test("A certificate nobody vouches for is refused", arguments: [true, false])
    func untrusted(isSystem: Bool) throws {
        let server = Side(server: try TLSServerContext([Certificates.local]))
        let context = try TLSClientContext(trust: isSystem ? .system : .certificates(Certificates.otherCertificate))
        let client = Side(client: context, host: "localhost")
        converse(client, server)
        #expect(client.error?.code == .certificateRejected)
    }

    @Test("A certificate out of date is refused with that reason") func expired() throws {
        let server = Side(server: try TLSServerContext([Certificates.expired]))
        let client = Side(client: try trusting(), host: "localhost")
        converse(client, server)
        #expect(client.error?.code == .certificateRejected)
        #expect(client.error?.message.contains("expired") == true)
    }

    @Test("A server sends the whole chain; without it the client cannot follow") func chain() throws {
        let server = Side(server: try TLSServerContext([Certificates.chained]))
        let client = Side(client: try trusting(), host: "localhost")
        converse(client, server)
        #expect(client.isEstablished)
        let lackingServer = Side(server: try TLSServerContext([Certificates.unchained]))
        let lackingClient = Side(client: try trusting(), host: "localhost")
        converse(lackingClient, lackingServer)
        #expect(lackingClient.error?.code == .certificateRejected)
    }

    @Test(
        "The server shows the certificate for the name that was asked for",
        arguments: [("localhost", true), ("other.example", true), ("a.wild.example", true), ("unknown.example", false)])
    func serverName(host: String, isKnown: Bool) throws {
        let context = try TLSServerContext([Certificates.local, Certificates.other])
        let server = Side(server: context)
        let client = Side(client: try trusting(), host: host)
        converse(client, server)
        #expect(client.isEstablished == isKnown)
    }

    @Test("A session is taken up again") func resumption() throws {
        let context = try TLSServerContext([Certificates.local])
        let clientContext = try trusting()
        let first = Side(client: clientContext, host: "localhost")
        let server = Side(server: context)
        converse(first, server)
        #expect(!first.isResumed)
        let second = Side(client: clientContext, host: "localhost")
        let again = Side(server: context)
        converse(second, again)
        #expect(second.isResumed && again.isResumed)
        // Not for another host, though it is the same server.
        let third = Side(client: clientContext, host: "127.0.0.1")
        let another = Side(server: context)
        converse(third, another)
        #expect(third.isEstablished && !third.isResumed)
    }

    @Test("After a reload new connections see the new certificate, and old ones go on") func reload() throws {
        let context = try TLSServerContext([Certificates.other])
        let oldServer = Side(server: context)
        let oldClient = Side(client: try trusting(), host: "other.example")
        converse(oldClient, oldServer)
        try context.reload([Certificates.local])
        #expect(throws: TransportError.self) { try context.reload([TLSIdentity(certificateChain: [], privateKey: [])]) }
        let newServer = Side(server: context)
        let newClient = Side(client: try trusting(), host: "localhost")
        converse(newClient, newServer)
        #expect(newClient.isEstablished)
        try oldClient.send([1])
        converse(oldClient, oldServer)
        #expect(oldServer.plaintext == [1])
    }

    @Test(
        "What is not TLS fails, with an alert where there is one to send",
        arguments: [Array("GET / HTTP/1.1\r\n\r\n".utf8), [UInt8](repeating: 0, count: 100), [0x16, 3, 1, 0xff, 0xff]])
    func garbage(bytes: [UInt8]) throws {
        let server = Side(server: try TLSServerContext([Certificates.local]))
        server.receive(bytes)
        #expect(server.error?.code == .tlsFailed)
        // Nothing is looked at after that.
        server.receive(bytes)
        #expect(!server.isEstablished)
    }

    @Test("A record that was tampered with is noticed") func tampering() throws {
        let server = Side(server: try TLSServerContext([Certificates.local]))
        let client = Side(client: try trusting(), host: "localhost")
        converse(client, server)
        try client.send([1, 2, 3])
        var record = client.wire.take()
        record[record.count - 1] ^= 1
        server.receive(record)
        #expect(server.error?.code == .tlsFailed && server.plaintext.isEmpty)
    }

    @Test("Any change to the client's first words ends in an error or in nothing, never in a crash", arguments: 0..<40)
    func fuzzedHello(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let client = Side(client: try trusting(), host: "localhost")
        var hello = client.wire.take()
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            hello[Int.random(in: 0..<hello.count, using: &generator)] = .random(in: 0...255, using: &generator)
        }
        let server = Side(server: try TLSServerContext([Certificates.local]))
        server.receive(hello, inPiecesOf: Int.random(in: 1...100, using: &generator))
        #expect(!server.isEstablished)
    }
}

@Suite("Certificate files") struct CertificateTests {
    private func message(chain: [UInt8], key: [UInt8]) -> String? {
        do throws(TransportError) {
            _ = try TLSServerContext([TLSIdentity(certificateChain: chain, privateKey: key)])
            return nil
        } catch {
            #expect(error.code == .invalidCertificate)
            return error.message
        }
    }

    @Test("Good files are taken, also with text around the blocks") func good() {
        #expect(message(chain: Certificates.localCertificate, key: Certificates.localKey) == nil)
        #expect(
            message(
                chain: Array("text\n".utf8) + Certificates.localCertificate + Array("text".utf8),
                key: Certificates.localKey) == nil)
    }

    @Test("Each mistake has its sentence") func mistakes() {
        let (chain, key) = (Certificates.localCertificate, Certificates.localKey)
        #expect(message(chain: [], key: key)?.contains("no certificate") == true)
        #expect(message(chain: key, key: key)?.contains("no certificate") == true)
        #expect(
            message(chain: Array(chain.prefix(200)) + Array(chain.suffix(100)), key: key)?.contains("damaged") == true)
        #expect(message(chain: chain + Array(chain.prefix(200)), key: key)?.contains("damaged") == true)
        #expect(message(chain: chain, key: [])?.contains("no private key") == true)
        #expect(message(chain: chain, key: chain)?.contains("no private key") == true)
        #expect(message(chain: chain, key: Certificates.lockedKey)?.contains("without a password") == true)
        #expect(message(chain: chain, key: Certificates.otherKey)?.contains("does not belong") == true)
    }

    @Test("A server without any identity is refused") func none() {
        #expect(throws: TransportError.self) { try TLSServerContext([]) }
    }

    @Test("Trusting nothing is refused") func trust() {
        #expect(throws: TransportError.self) { try TLSClientContext(trust: .certificates([])) }
    }
}
