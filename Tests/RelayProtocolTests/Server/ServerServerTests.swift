import Testing

@testable import RelayProtocol

@Suite("Relay session: servers") struct ServerServerTests {
    private func listen(_ server: UInt32, _ credentials: Credentials = .test) -> RelayMessage {
        .listen(.init(server: ClientServerID(server), credentials: credentials))
    }

    @Test("A server listens, and closes when the client says so") func lifeOfAServer() {
        var script = ServerScript()
        #expect(script.receive(listen(5)) == ["listen sr1 custodial"])
        let server = RelayServerID(1)
        #expect(
            script.node { $0.serverListening(server, address: .test, at: $1) } == ["→ listening sr1 sc5 127.0.0.1:4000"]
        )
        #expect(script.receive(.close(ClientServerID(5))) == ["close sr1"])
        #expect(script.receive(.close(ClientServerID(5))) == [])
        #expect(script.node { session, _ in session.serverClosed(server) } == ["→ closed sr1"])
        #expect(script.session.holdsNothing)
    }

    @Test("An address that is not known is 0.0.0.0:0 (R5)") func unknownAddress() {
        var script = ServerScript()
        _ = script.receive(listen(5))
        #expect(
            script.node { $0.serverListening(RelayServerID(1), address: nil, at: $1) }
                == ["→ listening sr1 sc5 0.0.0.0:0"])
    }

    @Test("A listen that fails is answered so that every client understands it (R2)") func listenFails() {
        var script = ServerScript()
        _ = script.receive(listen(5))
        #expect(
            script.node { session, _ in session.serverClosed(RelayServerID(1)) }
                == ["→ listening sr1 sc5 0.0.0.0:0", "→ closed sr1"])
        #expect(script.receive(listen(5)) == ["listen sr2 custodial"])
    }

    @Test("A listen with a wrong key pair, or one too many, is answered the same way") func listenRefused() {
        var limits = RelayLimits()
        limits.servers = 1
        var script = ServerScript(limits: limits)
        let refusal = ["→ listening sr1 sc5 0.0.0.0:0", "→ closed sr1"]
        #expect(script.receive(listen(5, .custodial(.invalid))) == refusal)
        _ = script.listen(6)
        #expect(script.receive(listen(7)) == ["→ listening sr3 sc7 0.0.0.0:0", "→ closed sr3"])
    }

    @Test("A number in use cannot be listened under, nor that of a query") func reuse() {
        var script = ServerScript()
        _ = script.listen(5)
        #expect(script.receive(listen(5)).last == "close link: listen: number 5 is in use")
        var other = ServerScript()
        _ = other.receive(.lookup(QueryID(5), topic: Bytes32()))
        #expect(other.receive(listen(5)).last == "close link: listen: number 5 is in use")
    }

    @Test("A server that closes by itself is told as closed; its streams live on") func closedByNode() {
        var script = ServerScript()
        let server = script.listen(5)
        _ = script.offer(server)
        _ = script.receive(.connected(.init(stream: ClientStreamID(9), remoteStream: RelayStreamID(2))))
        #expect(script.node { session, _ in session.serverClosed(server) } == ["→ closed sr1"])
        #expect(script.receive(data: [[1]], for: 9) == ["write r2 [01]"])
        #expect(script.offer(server) == ["refused"])
    }

    @Test("A server closed before it listens is still told by a number the client knows") func closeBeforeListening() {
        var script = ServerScript()
        _ = script.receive(listen(5))
        #expect(script.receive(.close(ClientServerID(5))) == ["close sr1"])
        #expect(script.node { $0.serverListening(RelayServerID(1), address: .test, at: $1) } == [])
        #expect(
            script.node { session, _ in session.serverClosed(RelayServerID(1)) }
                == ["→ listening sr1 sc5 0.0.0.0:0", "→ closed sr1"])
    }

    @Test("The client decides who may connect", arguments: [true, false]) func firewall(isAllowed: Bool) {
        var script = ServerScript()
        let server = script.listen(5)
        #expect(
            script.ask { $0.peerAsks(server, remotePublicKey: Bytes32(), payload: smallestPayload, at: $1) }
                == ["#2", "→ incoming f2 of sr1 01000000"])
        let request = FirewallRequestID(2)
        #expect(
            script.receive(isAllowed ? .accept(request) : .deny(request)) == [isAllowed ? "allow f2" : "refuse f2"])
        #expect(script.receive(.accept(request)) == [])
    }

    @Test("No answer in time is no") func firewallTimesOut() {
        var script = ServerScript()
        let server = script.listen(5)
        _ = script.ask { $0.peerAsks(server, remotePublicKey: Bytes32(), payload: smallestPayload, at: $1) }
        #expect(script.wait(.milliseconds(9_999)) == [])
        #expect(script.wait(.milliseconds(1)) == ["refuse f2"])
        #expect(script.receive(.accept(FirewallRequestID(2))) == [])
    }

    @Test("A peer that left is not answered") func peerLeft() {
        var script = ServerScript()
        let server = script.listen(5)
        _ = script.ask { $0.peerAsks(server, remotePublicKey: Bytes32(), payload: smallestPayload, at: $1) }
        script.session.peerLeft(FirewallRequestID(2))
        #expect(script.receive(.accept(FirewallRequestID(2))) == [])
        #expect(script.wait(.seconds(10)) == [])
    }

    @Test("Peers that come before listening wait for it (R6)") func earlyPeers() {
        var script = ServerScript()
        _ = script.receive(listen(5))
        _ = script.receive(listen(6, .own))
        let (custodial, own) = (RelayServerID(1), RelayServerID(2))
        #expect(
            script.ask { $0.peerAsks(custodial, remotePublicKey: Bytes32(), payload: smallestPayload, at: $1) } == [
                "#3"
            ])
        #expect(script.ask { $0.peerHandshake(own, message: .ofSize(100), at: $1) } == ["#4"])
        #expect(script.session.bufferedByteCount == 104)
        #expect(
            script.node { $0.serverListening(custodial, address: .test, at: $1) }
                == ["→ listening sr1 sc5 127.0.0.1:4000", "→ incoming f3 of sr1 01000000"])
        #expect(
            script.node { $0.serverListening(own, address: .test, at: $1) }
                == ["→ listening sr2 sc6 127.0.0.1:4000", "→ noiseReceive n4 at sr2 100 bytes"])
        #expect(script.session.bufferedByteCount == 0)
        #expect(script.receive(.accept(FirewallRequestID(3))) == ["allow f3"])
    }

    @Test("Peers that wait too long are refused and not asked about") func earlyPeersTimeOut() {
        var script = ServerScript()
        _ = script.receive(listen(5, .own))
        _ = script.ask { $0.peerHandshake(RelayServerID(1), message: .ofSize(100), at: $1) }
        #expect(script.wait(.seconds(10)) == ["deny n2"])
        #expect(
            script.node { $0.serverListening(RelayServerID(1), address: .test, at: $1) }
                == ["→ listening sr1 sc5 127.0.0.1:4000"])
        #expect(script.session.bufferedByteCount == 0)
    }

    @Test("Peers that wait when the server fails or closes are refused", arguments: [true, false])
    func earlyPeersOfAFailure(clientCloses: Bool) {
        var script = ServerScript()
        _ = script.receive(listen(5, .own))
        _ = script.ask { $0.peerHandshake(RelayServerID(1), message: .ofSize(100), at: $1) }
        let actions =
            clientCloses
            ? script.receive(.close(ClientServerID(5)))
            : script.node { session, _ in session.serverClosed(RelayServerID(1)) }
        #expect(actions.first == "deny n2")
        #expect(script.session.bufferedByteCount == 0)
    }

    @Test("A stranger cannot make a session hold more than its limit") func floodBeforeListening() {
        var script = ServerScript()
        _ = script.receive(listen(5, .own))
        var held = 0
        while held < 1000,
            script.ask({ $0.peerHandshake(RelayServerID(1), message: .ofSize(60_000), at: $1) })[0] != "refused"
        {
            held += 1
        }
        #expect(held == 4)
        #expect(script.session.bufferedByteCount <= 262_144)
    }

    @Test("Peers of the other mode, of unknown servers, and too many of them are refused") func refusedPeers() {
        var limits = RelayLimits()
        limits.unansweredRequests = 1
        limits.handshakes = 1
        var script = ServerScript(limits: limits)
        let (custodial, own) = (script.listen(5), script.listen(6, credentials: .own))
        let ask = { (server: RelayServerID, script: inout ServerScript) in
            script.ask { $0.peerAsks(server, remotePublicKey: Bytes32(), payload: smallestPayload, at: $1) }
        }
        #expect(ask(own, &script) == ["refused"])
        #expect(ask(RelayServerID(77), &script) == ["refused"])
        #expect(script.ask { $0.peerHandshake(custodial, message: .ofSize(100), at: $1) } == ["refused"])
        #expect(ask(custodial, &script).count == 2)
        #expect(ask(custodial, &script) == ["refused"])
        #expect(script.ask { $0.peerHandshake(own, message: .ofSize(100), at: $1) }.count == 2)
        #expect(script.ask { $0.peerHandshake(own, message: .ofSize(100), at: $1) } == ["refused"])
    }

    @Test("While the client does not read, strangers are refused") func refusedWhileBlocked() {
        var script = ServerScript()
        let (server, stream) = (script.listen(5), script.open(6))
        script.session.linkBlocked()
        _ = script.peerData(stream, [UInt8](repeating: 0, count: 300_000))
        #expect(
            script.ask { $0.peerAsks(server, remotePublicKey: Bytes32(), payload: smallestPayload, at: $1) }
                == ["refused"])
    }
}

@Suite("Relay session: handshakes with the client's key") struct ServerHandshakeTests {
    private static let secrets = HandshakeSecrets(remoteID: Bytes32(), holepunchSecret: Bytes32())

    private func reply(
        _ handshake: UInt32, _ step: RelayMessage.NoiseReply.Step, _ payload: MessageBytes
    ) -> RelayMessage {
        .noiseReply(.init(handshake: HandshakeID(handshake), step: step, payload: payload))
    }

    /// A connect whose first message is asked for: stream 1, handshake 2.
    private func connecting() -> ServerScript {
        var script = ServerScript()
        _ = script.receive(.connect(.ownKey(9)))
        _ = script.node { $0.handshakeNeeded(RelayStreamID(1), payload: smallestPayload, at: $1) }
        return script
    }

    @Test("A connect asks for one message, passes one on, and opens") func initiator() {
        var script = ServerScript()
        let stream = RelayStreamID(1)
        #expect(script.receive(.connect(.ownKey(9))) == ["connect r1 own key"])
        #expect(
            script.node { $0.handshakeNeeded(stream, payload: smallestPayload, at: $1) }
                == ["→ noiseSend n2 to c9 01000000"])
        #expect(script.node { $0.handshakeNeeded(stream, payload: smallestPayload, at: $1) } == [])
        #expect(script.receive(reply(2, .initiatorFirst, .ofSize(100))) == ["handshake r1 100 bytes"])
        #expect(
            script.node { $0.handshakeReceived(stream, message: .ofSize(64), at: $1).actions }
                == ["→ noiseReceive n2 as initiator 64 bytes"])
        #expect(script.receive(reply(2, .initiatorLast(Self.secrets), smallestPayload)) == ["complete r1 01000000"])
        #expect(script.node { $0.peerOpened(stream, handshakeHash: nil, at: $1) } == ["→ open r1 c9 n2"])
        #expect(script.session.handshakes.isEmpty)
        #expect(script.session.deadlines.isEmpty)
        #expect(script.receive(data: [[1]], for: 9) == ["write r1 [01]"])
    }

    @Test("A second message of the peer is dropped, for the session's life (R4)") func secondMessage() {
        var script = connecting()
        let stream = RelayStreamID(1)
        #expect(script.session.handshakeReceived(stream, message: .ofSize(64), at: script.now).isTaken == false)
        _ = script.receive(reply(2, .initiatorFirst, .ofSize(100)))
        #expect(script.session.handshakeReceived(stream, message: .ofSize(64), at: script.now).isTaken)
        #expect(script.session.handshakeReceived(stream, message: .ofSize(64), at: script.now).isTaken == false)
        _ = script.receive(reply(2, .initiatorLast(Self.secrets), smallestPayload))
        #expect(script.session.handshakeReceived(stream, message: .ofSize(64), at: script.now).isTaken == false)
    }

    @Test("Messages of impossible length do not reach the client (R16)") func lengths() {
        var script = connecting()
        let server = script.listen(5, credentials: .own)
        _ = script.receive(reply(2, .initiatorFirst, .ofSize(96)))
        for size in [0, 47, 65_536] {
            #expect(
                script.session.handshakeReceived(RelayStreamID(1), message: .ofSize(size), at: script.now).isTaken
                    == false)
        }
        #expect(script.session.handshakeReceived(RelayStreamID(1), message: .ofSize(48), at: script.now).isTaken)
        for size in [0, 95, 65_536] {
            #expect(script.ask { $0.peerHandshake(server, message: .ofSize(size), at: $1) } == ["refused"])
        }
        #expect(script.ask { $0.peerHandshake(server, message: .ofSize(96), at: $1) }.count == 2)
        #expect(script.ask { $0.peerHandshake(server, message: .ofSize(65_535), at: $1) }.count == 2)
    }

    @Test("A reply that nobody asked for, or of the wrong kind, fails the connect and nothing else (R3, R15)")
    func wrongReplies() {
        let failure = [
            "→ destroy remote 9 \"PEER_CONNECTION_FAILED: Could not connect to peer\"", "destroy r1",
        ]
        let wrong: [RelayMessage] = [
            reply(2, .initiatorFirst, .ofSize(95)), reply(2, .initiatorFirst, .ofSize(65_536)),
            reply(2, .initiatorFirst, .empty), reply(2, .initiatorLast(Self.secrets), smallestPayload),
            reply(2, .responderFirst(remotePublicKey: Bytes32()), smallestPayload),
            reply(2, .responderLast(Self.secrets), .ofSize(100)),
        ]
        for message in wrong {
            var script = connecting()
            #expect(script.receive(message) == failure)
            #expect(script.session.holdsNothing)
            #expect(!script.session.isClosed)
            #expect(script.receive(message) == [])
        }

        var twice = connecting()
        _ = twice.receive(reply(2, .initiatorFirst, .ofSize(100)))
        #expect(twice.receive(reply(2, .initiatorFirst, .ofSize(100))) == failure)
    }

    @Test("A client that cannot read the peer's message fails the connect", arguments: [true, false])
    func clientFailed(sendsEmptyPayload: Bool) {
        var script = connecting()
        _ = script.receive(reply(2, .initiatorFirst, .ofSize(100)))
        _ = script.session.handshakeReceived(RelayStreamID(1), message: .ofSize(64), at: script.now)
        let answer =
            sendsEmptyPayload
            ? reply(2, .initiatorFirst, .empty) : reply(2, .initiatorLast(Self.secrets), MessageBytes([1, 2]))
        #expect(
            script.receive(answer) == [
                "→ destroy remote 9 \"PEER_CONNECTION_FAILED: Could not connect to peer\"", "destroy r1",
            ])
        #expect(script.session.holdsNothing)
    }

    @Test("A client that does not reply in time fails the connect") func noReply() {
        var script = connecting()
        #expect(
            script.wait(.seconds(10)) == [
                "→ destroy remote 9 \"PEER_CONNECTION_FAILED: Could not connect to peer\"", "destroy r1",
            ])
        #expect(script.session.holdsNothing)
    }

    @Test("A connect that the client gives up takes its handshake along") func destroyedWhileAsking() {
        var script = connecting()
        #expect(script.receive(.destroy(.init(.alias(9), error: nil))) == ["destroy r1"])
        #expect(script.session.holdsNothing)
        #expect(script.receive(reply(2, .initiatorFirst, .ofSize(100))) == [])
    }

    @Test("A stream whose handshake the client has not completed is not opened") func incomplete() {
        var script = connecting()
        #expect(
            script.node { $0.peerOpened(RelayStreamID(1), handshakeHash: Bytes64(), at: $1) }.last == "destroy r1")
    }

    @Test("A peer's handshake passes the client twice and becomes a stream") func responder() {
        var script = ServerScript()
        let server = script.listen(5, credentials: .own)
        #expect(
            script.ask { $0.peerHandshake(server, message: .ofSize(116), at: $1) }
                == ["#2", "→ noiseReceive n2 at sr1 116 bytes"])
        let (handshake, key) = (HandshakeID(2), Bytes32(repeating: 7))
        #expect(
            script.receive(reply(2, .responderFirst(remotePublicKey: key), smallestPayload)) == ["continue n2 01000000"]
        )
        #expect(
            script.node { $0.handshakeReply(handshake, payload: .ofSize(77), at: $1) }
                == ["→ noiseSend n2 as responder 77 bytes"])
        #expect(script.receive(reply(2, .responderLast(Self.secrets), .ofSize(125))) == ["finish n2 125 bytes"])
        #expect(
            script.ask { $0.peerConnected(with: handshake, at: $1) } == ["#3", "→ connection r3 of sr1 n2"])
        #expect(script.session.handshakes.isEmpty)
        #expect(script.ask { $0.peerConnected(with: handshake, at: $1) } == ["refused"])
    }

    @Test("The client denies with an empty payload") func denied() {
        var script = ServerScript()
        let server = script.listen(5, credentials: .own)
        _ = script.ask { $0.peerHandshake(server, message: .ofSize(116), at: $1) }
        #expect(script.receive(reply(2, .responderFirst(remotePublicKey: Bytes32()), .empty)) == ["deny n2"])
        #expect(script.session.handshakes.isEmpty)
    }

    @Test("A responder's wrong replies deny that peer and nothing else (R3, R15)") func wrongResponderReplies() {
        let wrong: [RelayMessage] = [
            reply(2, .initiatorFirst, .ofSize(100)), reply(2, .initiatorLast(Self.secrets), smallestPayload),
            reply(2, .responderLast(Self.secrets), .ofSize(100)),
            reply(2, .responderFirst(remotePublicKey: Bytes32()), MessageBytes([1, 2])),
        ]
        for message in wrong {
            var script = ServerScript()
            let server = script.listen(5, credentials: .own)
            _ = script.ask { $0.peerHandshake(server, message: .ofSize(116), at: $1) }
            #expect(script.receive(message) == ["deny n2"])
            #expect(!script.session.isClosed)
        }
    }

    @Test("The last message of a responder has a length too") func lastLength() {
        var script = ServerScript()
        let server = script.listen(5, credentials: .own)
        _ = script.ask { $0.peerHandshake(server, message: .ofSize(116), at: $1) }
        _ = script.receive(reply(2, .responderFirst(remotePublicKey: Bytes32()), smallestPayload))
        _ = script.node { $0.handshakeReply(HandshakeID(2), payload: .ofSize(77), at: $1) }
        #expect(script.receive(reply(2, .responderLast(Self.secrets), .ofSize(47))) == ["deny n2"])
    }

    @Test("A peer whose stream never comes is forgotten (R9)") func neverConnects() {
        var script = ServerScript()
        let server = script.listen(5, credentials: .own)
        _ = script.ask { $0.peerHandshake(server, message: .ofSize(116), at: $1) }
        _ = script.receive(reply(2, .responderFirst(remotePublicKey: Bytes32()), smallestPayload))
        _ = script.node { $0.handshakeReply(HandshakeID(2), payload: .ofSize(77), at: $1) }
        _ = script.receive(reply(2, .responderLast(Self.secrets), .ofSize(48)))
        _ = script.receive(.ping)
        #expect(script.wait(.seconds(30)).contains("deny n2"))
        #expect(script.session.handshakes.isEmpty)
    }

    @Test("A handshake the node has given up is forgotten; the client's late reply does nothing") func abandoned() {
        var script = ServerScript()
        let server = script.listen(5, credentials: .own)
        _ = script.ask { $0.peerHandshake(server, message: .ofSize(116), at: $1) }
        script.session.handshakeAbandoned(HandshakeID(2))
        #expect(script.session.handshakes.isEmpty)
        #expect(script.receive(reply(2, .responderFirst(remotePublicKey: Bytes32()), smallestPayload)) == [])
    }

    @Test("A connect beyond the limit of handshakes fails") func handshakesLimit() {
        var limits = RelayLimits()
        limits.handshakes = 1
        var script = ServerScript(limits: limits)
        for (stream, clientStream) in [(1, 8), (3, 9)] as [(UInt32, UInt32)] {
            _ = script.receive(.connect(.ownKey(clientStream)))
            _ = script.node { $0.handshakeNeeded(RelayStreamID(stream), payload: smallestPayload, at: $1) }
        }
        #expect(script.session.streams.count == 1)
    }
}
