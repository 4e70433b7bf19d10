import Testing

@testable import RelayProtocol

@Suite("Relay session: the link") struct ServerLinkTests {
    @Test("Before the handshake everything is dropped, even what is malformed; pings are answered")
    func beforeHandshake() {
        var script = ServerScript(withHandshake: false)
        #expect(script.receive(.connect(.custodial(1))) == [])
        #expect(script.receive(type: 3, body: []) == [])
        #expect(script.receive(.ping) == ["→ pong"])
        #expect(script.receive(.pong) == [])
        #expect(script.receive(.handshake(.own)) == [])
        #expect(script.receive(.connect(.custodial(1))) == ["connect r1 custodial"])
    }

    @Test("A second handshake is ignored") func secondHandshake() {
        var script = ServerScript()
        #expect(script.receive(.handshake(.test)) == [])
        #expect(!script.session.isClosed)
    }

    @Test("Without a handshake the link is closed") func handshakeDeadline() {
        var limits = RelayLimits()
        limits.handshakeTimeout = .seconds(10)
        var script = ServerScript(limits: limits, withHandshake: false)
        #expect(script.wait(.milliseconds(9_999)) == [])
        #expect(script.wait(.milliseconds(1)) == ["close link: no handshake in time"])
        #expect(script.session.deadline == nil)
    }

    @Test("The relay pings every 15 seconds") func pings() {
        var script = ServerScript()
        #expect(script.wait(.milliseconds(14_999)) == [])
        #expect(script.wait(.milliseconds(1)) == ["→ ping"])
        #expect(script.receive(.pong) == [])
        #expect(script.wait(.seconds(15)) == ["→ ping"])
    }

    @Test("A client that is silent from the start is closed after 45 seconds (R12)") func failsafe() {
        var script = ServerScript()
        _ = script.wait(.seconds(15))
        _ = script.receive(.lookup(QueryID(1), topic: Bytes32()))  // only pings and pongs count
        _ = script.wait(.seconds(15))
        #expect(script.wait(.seconds(15)) == ["cancel q1", "close link: no sign of life in time"])
    }

    @Test("Malformed messages close the link with the reason", arguments: [0, 3, 5, 9, 16, 19, 20, 24, 27] as [UInt32])
    func malformed(type: UInt32) {
        var script = ServerScript()
        let name = RelayMessage.name(ofType: type)
        #expect(script.receive(type: type, body: []) == ["close link: malformed \(name): it ends too early"])
        #expect(script.receive(.ping) == [])
    }

    @Test("A list that claims too many elements closes the link") func hugeList() {
        var script = ServerScript()
        let body: [UInt8] = [7, 0, 0, 0, 0xfe, 1, 0, 0x10, 0]
        #expect(script.receive(type: 16, body: body) == ["close link: malformed data: list too long"])
    }

    @Test("A message above the limit closes the link, one at the limit does not") func messageSize() {
        var limits = RelayLimits()
        limits.messageByteCount = 100
        var script = ServerScript(limits: limits)
        #expect(script.receive(data: [[UInt8](repeating: 0, count: 94)], for: 1) == [])
        #expect(
            script.receive(data: [[UInt8](repeating: 0, count: 95)], for: 1)
                == ["close link: message too large: 101 bytes"])
    }

    @Test("More chunks than the limit close the link") func chunksLimit() {
        var limits = RelayLimits()
        limits.chunksPerMessage = 2
        var script = ServerScript(limits: limits)
        let stream = script.open(1)
        #expect(script.receive(data: [[1], [2]], for: 1) == ["write r\(stream) [01 02]"])
        #expect(
            script.receive(data: [[1], [2], [3]], for: 1)
                == ["destroy r\(stream)", "close link: message with too many chunks: 3"])
    }

    @Test("Types of later versions are ignored") func unknownType() {
        var script = ServerScript()
        #expect(script.receive(type: 28, body: [1, 2, 3]) == [])
        #expect(!script.session.isClosed)
    }

    @Test("What only a relay may say closes the link") func misdirected() {
        let messages: [RelayMessage] = [
            .closed(RelayServerID(1)), .finished(QueryID(1)), .result(QueryID(1), .empty),
            .listening(.init(server: RelayServerID(1), remoteServer: ClientServerID(1), address: .test)),
            .open(.init(stream: RelayStreamID(1), remoteStream: ClientStreamID(1), proof: .handshake(HandshakeID(1)))),
            .noiseSend(.init(handshake: HandshakeID(1), role: .responder, payload: .empty)),
            .noiseReceive(.init(handshake: HandshakeID(1), role: .initiator, message: .empty)),
        ]
        for message in messages {
            var script = ServerScript()
            let name = RelayMessage.name(ofType: message.type)
            #expect(script.receive(message) == ["close link: \(name) is for the other side to receive"])
        }
    }

    @Test("Numbers that name nothing are ignored") func unknownNumbers() {
        var script = ServerScript()
        #expect(script.receive(data: [[1]], for: 7) == [])
        #expect(script.receive(.end(alias: 7)) == [])
        #expect(script.receive(.destroy(.init(.alias(7), error: nil))) == [])
        #expect(script.receive(.destroy(.init(.remoteAlias(7), error: nil))) == [])
        #expect(script.receive(.close(ClientServerID(7))) == [])
        #expect(script.receive(.accept(FirewallRequestID(7))) == [])
        #expect(script.receive(.deny(FirewallRequestID(7))) == [])
        #expect(script.receive(.signature(SignatureRequestID(7), .empty)) == [])
        #expect(script.receive(.connected(.init(stream: ClientStreamID(7), remoteStream: RelayStreamID(7)))) == [])
        #expect(
            script.receive(.noiseReply(.init(handshake: HandshakeID(7), step: .initiatorFirst, payload: .empty))) == [])
        #expect(!script.session.isClosed)
    }

    @Test("When the link is lost everything is given back and every question answered (R8, R9, R10)") func linkLoss() {
        var script = ServerScript()
        let custodial = script.listen(1)
        let own = script.listen(2, credentials: .own)
        let open = script.open(10)
        _ = script.receive(.connect(.custodial(11)))
        _ = script.ask { $0.peerAsks(custodial, remotePublicKey: Bytes32(), payload: smallestPayload, at: $1) }
        _ = script.ask { $0.peerHandshake(own, message: .ofSize(100), at: $1) }
        _ = script.ask {
            $0.peerConnected(to: custodial, remotePublicKey: Bytes32(), handshakeHash: Bytes64(), at: $1)
        }
        _ = script.receive(.lookup(QueryID(20), topic: Bytes32()))
        _ = script.ask { $0.signatureNeeded(by: .server(own), at: $1) }

        #expect(
            script.node { session, _ in session.linkClosed() } == [
                "refuse f5", "skip s8", "deny n6", "destroy r\(open)", "destroy r4", "destroy r7", "cancel q20",
                "close sr1", "close sr2 quietly",
            ])
        #expect(script.session.isClosed)
        #expect(script.session.holdsNothing)
        #expect(script.node { session, _ in session.linkClosed() } == [])
        #expect(script.session.deadline == nil)
        #expect(script.wait(.seconds(100)) == [])
        #expect(script.node { $0.peerClosed(RelayStreamID(open), error: nil, at: $1) } == [])
        #expect(script.node { session, _ in session.serverClosed(custodial) } == [])
        #expect(
            script.node { $0.peerAsks(custodial, remotePublicKey: Bytes32(), payload: .empty, at: $1).actions } == [])
    }

    @Test("Closing in order gives everything back and then closes") func closing() {
        var script = ServerScript()
        let stream = script.open(1)
        #expect(script.node { session, _ in session.close(.closing) } == ["destroy r\(stream)", "close link: closing"])
        #expect(script.node { session, _ in session.close(.closing) } == [])
    }

    @Test("The relay numbers what is its own, whatever the client numbers") func numbering() {
        var script = ServerScript()
        #expect(script.open(500) == 1)
        #expect(script.listen(500).number == 2)
        #expect(script.open(1) == 3)
    }
}
