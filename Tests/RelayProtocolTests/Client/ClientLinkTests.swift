import Testing

@testable import RelayProtocol

@Suite("Relay client: the link") struct ClientLinkTests {
    @Test("The first message is the handshake") func start() {
        let script = ClientScript()
        #expect(script.session.start(as: .own).map(\.summary) == ["→ handshake own key"])
    }

    @Test("The client answers pings and sends none of its own") func pings() {
        var script = ClientScript()
        #expect(script.receive(.ping) == ["→ pong"])
        #expect(script.wait(.seconds(44)) == [])
        #expect(script.receive(.pong) == [])
        #expect(script.wait(.seconds(44)) == [])
        #expect(script.wait(.seconds(1)) == ["close link: no sign of life in time"])
    }

    @Test("While it does not read it pings, so that the relay hears of it") func pausedPings() {
        var script = ClientScript()
        _ = script.open(as: 1)
        #expect(script.receive(data: [[UInt8](repeating: 0, count: 300_000)], for: 1).last == "pause reading")
        for _ in 0..<10 { #expect(script.wait(.seconds(15)) == ["→ ping"]) }
        #expect(
            script.user { $0.took(ClientStreamID(1), byteCount: 300_000, at: $1) } == ["resume reading"])
        #expect(script.wait(.seconds(44)) == [])
        #expect(script.wait(.seconds(1)).count == 2)
    }

    @Test(
        "Malformed messages close the link with the reason", arguments: [4, 6, 9, 11, 14, 16, 17, 22, 25] as [UInt32])
    func malformed(type: UInt32) {
        var script = ClientScript()
        let name = RelayMessage.name(ofType: type)
        #expect(script.receive(type: type, body: []) == ["close link: malformed \(name): it ends too early"])
    }

    @Test("Non-minimal numbers, as older relays send them, are read (R1)") func nonMinimal() {
        var script = ClientScript()
        let server = script.listen(as: 1, .client)
        var body = RelayMessage.signAnnounce(.test(signee: server.number)).encodedBody
        body.removeLast(7)
        body += [0xff, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(script.receive(type: 22, body: body) == ["→ signature s50 64 bytes"])
    }

    @Test("A message above the limit, or with too many chunks, closes the link") func sizes() {
        var limits = RelayLimits()
        limits.messageByteCount = 100
        limits.chunksPerMessage = 2
        var script = ClientScript(limits: limits)
        _ = script.open(as: 1)
        #expect(script.receive(data: [[1], [2]], for: 1) == ["received c1 [01 02]"])
        #expect(script.receive(data: [[1], [2], [3]], for: 1).last == "close link: message with too many chunks: 3")
        var other = ClientScript(limits: limits)
        #expect(
            other.receive(type: 16, body: [UInt8](repeating: 0, count: 101))
                == ["close link: message too large: 101 bytes"])
    }

    @Test("What only a client may say closes the link") func misdirected() {
        let messages: [RelayMessage] = [
            .handshake(.own), .connect(.custodial(1)), .accept(FirewallRequestID(1)), .deny(FirewallRequestID(1)),
            .close(ClientServerID(1)), .lookup(QueryID(1), topic: Bytes32()), .signature(SignatureRequestID(1), .empty),
            .connected(.init(stream: ClientStreamID(1), remoteStream: RelayStreamID(1))),
        ]
        for message in messages {
            var script = ClientScript()
            let name = RelayMessage.name(ofType: message.type)
            #expect(script.receive(message) == ["close link: \(name) is for the other side to receive"])
        }
        var script = ClientScript()
        #expect(script.receive(type: 28, body: []) == [])
    }

    @Test("Numbers that name nothing are ignored, or turned away where somebody waits") func unknownNumbers() {
        var script = ClientScript()
        #expect(script.receive(data: [[1]], for: 7) == [])
        #expect(script.receive(.end(alias: 7)) == [])
        #expect(script.receive(.destroy(.init(.alias(7), error: "x"))) == [])
        #expect(script.receive(.destroy(.init(.remoteAlias(7), error: "x"))) == [])
        #expect(script.receive(.opened(7, 7)) == [])
        #expect(script.receive(.closed(RelayServerID(7))) == [])
        #expect(script.receive(.listening(7, 7)) == [])
        #expect(script.receive(.finished(QueryID(7))) == [])
        #expect(script.receive(.result(QueryID(7), .empty)) == [])
        #expect(script.receive(.signAnnounce(.test(signee: 7))) == [])
        #expect(script.receive(.noiseSend(7)) == [])
        #expect(script.receive(.noiseSend(7, to: 7)) == [])
        #expect(script.receive(.noiseReceive(7, [])) == [])
        #expect(script.receive(.incoming(7, at: 7)) == ["→ deny f7"])
        #expect(script.receive(.noiseReceive(7, at: 7, [])) == ["→ noiseReply n7 responder first empty"])
        #expect(script.receive(.offered(7, at: 7)) == ["→ connected c1 r7", "→ destroy 1"])
        #expect(!script.session.isClosed)
        #expect(script.session.holdsNothing)
    }

    @Test("When the link is lost everything ends, and says why (C5, C12)") func linkLoss() {
        var script = ClientScript()
        _ = script.open(as: 1)
        _ = script.connect(.client)
        _ = script.listen(as: 3)
        _ = script.session.listen(as: .other, custody: .relay)
        _ = script.session.lookup(Bytes32())
        _ = script.receive(.noiseSend(9, to: 2))
        _ = script.receive(.incoming(10, at: 3))
        #expect(
            script.user { session, _ in session.linkClosed() } == [
                "closed c1: The link to the relay was lost", "closed c2: The link to the relay was lost",
                "finished q5: The link to the relay was lost", "server closed sc3: The link to the relay was lost",
                "server closed sc4: The link to the relay was lost",
            ])
        #expect(script.session.holdsNothing)
        #expect(script.session.deadline == nil)
        #expect(script.wait(.seconds(1000)) == [])
        #expect(script.user { session, _ in session.linkClosed() } == [])
        #expect(script.ask { $0.connect(to: Bytes32(), as: .test, custody: .relay) } == ["refused"])
        #expect(script.ask { $0.listen(as: .test, custody: .relay) } == ["refused"])
        #expect(script.ask { $0.lookup(Bytes32()) } == ["refused"])
        #expect(script.write([[1]], to: 1) == ["closed"])
    }

    @Test("Closing in order closes the servers first") func closing() {
        var script = ClientScript()
        _ = script.open(as: 1)
        _ = script.listen(as: 3)
        #expect(script.user { $0.close(at: $1) } == ["→ close sc2"])
        #expect(
            script.receive(.closed(RelayServerID(3))) == ["server closed sc2", "closed c1", "close link: closing"])
    }

    @Test("Closing does not wait for ever") func closingTimesOut() {
        var script = ClientScript()
        _ = script.listen(as: 3)
        _ = script.user { $0.close(at: $1) }
        #expect(script.wait(.seconds(5)) == ["server closed sc1", "close link: closing"])
        var other = ClientScript()
        #expect(other.user { $0.close(at: $1) } == ["close link: closing"])
    }

    @Test("A relay that does not read what it makes the client say is left") func relayDoesNotRead() {
        var script = ClientScript()
        script.session.linkBlocked()
        var count = 0
        while !script.session.isClosed, count < 100_000 {
            _ = script.receive(.ping)
            count += 1
        }
        #expect(count < 10_000)
    }
}
