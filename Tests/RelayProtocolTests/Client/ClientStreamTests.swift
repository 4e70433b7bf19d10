import Testing

@testable import RelayProtocol

@Suite("Relay client: streams") struct ClientStreamTests {
    private func chunk(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    @Test("A custodial stream opens, carries data and ends half by half") func lifeOfAStream() {
        var script = ClientScript()
        #expect(
            script.ask { $0.connect(to: RelayKeyPair.other.publicKey, as: .test, custody: .relay) }
                == ["#1", "→ connect c1 custodial"])
        #expect(script.receive(.opened(1, 9)) == ["opened c1 hash 0"])
        #expect(script.write([[1], [2, 3]], to: 1) == ["written", "→ data 1 [01 0203]"])
        #expect(script.receive(data: [[4], [5]], for: 9) == ["received c1 [04 05]"])
        #expect(script.user { $0.end(ClientStreamID(1), at: $1) } == ["→ end 1"])
        #expect(script.write([[1]], to: 1) == ["closed"])
        #expect(script.receive(data: [[6]], for: 9) == ["received c1 [06]"])
        #expect(script.receive(.end(alias: 9)) == ["ended c1", "closed c1"])
        #expect(script.session.holdsNothing)
    }

    @Test("What is written before open follows it in one message, then the end") func earlyWrites() {
        var script = ClientScript()
        _ = script.connect()
        #expect(script.write([[1]], to: 1) == ["written"])
        #expect(script.write([[2], [3]], to: 1) == ["written"])
        #expect(script.user { $0.end(ClientStreamID(1), at: $1) } == [])
        #expect(script.receive(.opened(1, 9)) == ["opened c1 hash 0", "→ data 1 [01 02 03]", "→ end 1"])
        #expect(script.receive(.opened(1, 10)) == [])
    }

    @Test("Before open there is room for so much; the rest may be written when it is open") func earlyWritesLimit() {
        var script = ClientScript()
        _ = script.connect()
        #expect(script.write([chunk(60_000)], to: 1) == ["written"])
        #expect(script.write([chunk(10_000)], to: 1) == ["full"])
        #expect(
            script.receive(.opened(1, 9)) == ["opened c1 hash 0", "→ data 1 [60000 bytes]", "writable c1"])
    }

    @Test("A connect that fails says what the relay says") func connectFails() {
        var script = ClientScript()
        _ = script.connect()
        #expect(
            script.receive(.destroy(.init(.remoteAlias(1), error: "PEER_NOT_FOUND: Peer not found")))
                == ["closed c1: PEER_NOT_FOUND: Peer not found"])
        #expect(script.session.holdsNothing)
    }

    @Test("A stream that the relay destroys closes, with its text if it has one", arguments: ["reset", nil])
    func relayDestroys(text: String?) {
        var script = ClientScript()
        _ = script.open(as: 9)
        #expect(
            script.receive(.destroy(.init(.alias(9), error: text))) == ["closed c1\(text.map { ": \($0)" } ?? "")"])
        #expect(script.receive(data: [[1]], for: 9) == [])
    }

    @Test("An open stream is not destroyed by the client's number") func destroyedByWrongName() {
        var script = ClientScript()
        _ = script.open(as: 9)
        #expect(script.receive(.destroy(.init(.remoteAlias(1), error: nil))) == [])
    }

    @Test("The user destroys a stream, also while it connects (C4)") func userDestroys() {
        var script = ClientScript()
        let stream = script.connect()
        #expect(script.user { $0.destroy(stream, at: $1) } == ["→ destroy 1", "closed c1"])
        #expect(script.receive(.opened(1, 9)) == [])
        #expect(script.user { $0.destroy(stream, at: $1) } == [])
        let open = script.open(as: 9)
        #expect(script.user { $0.destroy(open, at: $1) } == ["→ destroy 2", "closed c2"])
        #expect(script.session.holdsNothing)
    }

    @Test("Large writes go in messages of a reasonable size; custodial chunks are never cut (C14)") func splitting() {
        var script = ClientScript()
        _ = script.open(as: 9)
        #expect(
            script.write([chunk(30_000), chunk(30_000), chunk(30_000), chunk(100_000), [1]], to: 1) == [
                "written", "→ data 1 [30000 bytes 30000 bytes]", "→ data 1 [30000 bytes]", "→ data 1 [100000 bytes]",
                "→ data 1 [01]",
            ])
        #expect(script.write([chunk(16_777_134)], to: 1).count == 2)
        #expect(script.write([chunk(16_777_135)], to: 1) == ["tooLarge"])
    }

    @Test("Two streams cannot have one number of the relay's") func reuse() {
        var script = ClientScript()
        _ = script.open(as: 9)
        _ = script.connect()
        #expect(script.receive(.opened(2, 9)).last == "close link: open: number 9 is in use")
    }

    @Test("While the link is blocked nothing is taken; then who was refused may go on") func blocked() {
        var script = ClientScript()
        _ = script.open(as: 9)
        _ = script.open(as: 10)
        script.session.linkBlocked()
        #expect(script.write([[1]], to: 1) == ["full"])
        #expect(script.write([[1]], to: 1) == ["full"])
        #expect(script.user { session, _ in session.linkDrained() } == ["writable c1"])
        #expect(script.write([[1]], to: 1) == ["written", "→ data 1 [01]"])
    }

    @Test("A user that does not read stops the link until it does") func slowUser() {
        var script = ClientScript()
        let stream = script.open(as: 9)
        #expect(
            script.receive(data: [chunk(262_145)], for: 9) == ["received c1 [262145 bytes]", "pause reading"])
        #expect(script.user { $0.took(stream, byteCount: 262_145, at: $1) } == ["resume reading"])
    }

    @Test("A stream that is not read while others wait is closed") func unread() {
        var script = ClientScript()
        _ = script.open(as: 9)
        _ = script.open(as: 10)
        _ = script.receive(data: [chunk(300_000)], for: 9)
        _ = script.wait(.seconds(15))
        #expect(
            script.wait(.seconds(15)) == [
                "→ ping", "→ destroy 1", "closed c1: The stream was not read while others waited", "resume reading",
            ])
    }

    @Test("Keep-alive sends an empty chunk whenever nothing was written for so long") func keepAlive() {
        var script = ClientScript()
        let stream = script.open(as: 9)
        script.session.setKeepAlive(.seconds(5), of: stream, at: script.now)
        #expect(script.wait(.seconds(4)) == [])
        _ = script.write([[1]], to: 1)
        #expect(script.wait(.seconds(4)) == [])
        #expect(script.wait(.seconds(1)) == ["→ data 1 []"])
        #expect(script.wait(.seconds(5)) == ["→ data 1 []"])
        script.session.setKeepAlive(.seconds(1), of: stream, at: script.now)
        #expect(script.wait(.seconds(1)) == ["→ data 1 []"])
        script.session.setKeepAlive(nil, of: stream, at: script.now)
        #expect(script.session.deadlines.isEmpty)
    }

    @Test("Keep-alive waits for open, and ends with the writable side") func keepAliveBounds() {
        var script = ClientScript()
        let stream = script.connect()
        script.session.setKeepAlive(.seconds(5), of: stream, at: script.now)
        #expect(script.wait(.seconds(5)) == [])
        _ = script.receive(.opened(1, 9))
        #expect(script.wait(.seconds(5)) == ["→ data 1 []"])
        _ = script.user { $0.end(stream, at: $1) }
        #expect(script.wait(.seconds(5)) == [])
    }

    @Test("With keep-alive, empty chunks are the peer's and not data; without, they are messages") func emptyChunks() {
        var script = ClientScript()
        let stream = script.open(as: 9)
        #expect(script.receive(data: [[]], for: 9) == ["received c1 []"])
        script.session.setKeepAlive(.seconds(5), of: stream, at: script.now)
        #expect(script.receive(data: [[]], for: 9) == [])
        #expect(script.receive(data: [[1], [], [2]], for: 9) == ["received c1 [01 02]"])
        #expect(script.receive(data: [], for: 9) == [])
    }

    @Test("A stream times out when no data comes for so long, connecting included (C20)") func timeout() {
        var script = ClientScript()
        let stream = script.connect()
        script.session.setTimeout(.milliseconds(200), of: stream, at: script.now)
        _ = script.wait(.milliseconds(150))
        _ = script.receive(.opened(1, 9))
        #expect(script.wait(.milliseconds(50)) == ["→ destroy 1", "closed c1: Stream timed out"])

        let other = script.open(as: 10)
        script.session.setTimeout(.milliseconds(200), of: other, at: script.now)
        for _ in 0..<9 {
            #expect(script.wait(.milliseconds(150)) == [])
            _ = script.receive(data: [[]], for: 10)
        }
        #expect(script.wait(.milliseconds(199)) == [])
        #expect(script.wait(.milliseconds(1)).last == "closed c2: Stream timed out")
    }

    @Test("Who does not read does not time out") func timeoutWhilePaused() {
        var script = ClientScript()
        let stream = script.open(as: 9)
        script.session.setTimeout(.seconds(1), of: stream, at: script.now)
        _ = script.receive(data: [chunk(300_000)], for: 9)
        #expect(script.wait(.seconds(2)) == [])
        #expect(script.user { $0.took(stream, byteCount: 300_000, at: $1) } == ["resume reading"])
        #expect(script.wait(.seconds(1)).last == "closed c1: Stream timed out")
    }

    @Test("A time-out that is taken back does nothing") func timeoutStops() {
        var script = ClientScript()
        let stream = script.open(as: 9)
        script.session.setTimeout(.seconds(1), of: stream, at: script.now)
        script.session.setTimeout(nil, of: stream, at: script.now)
        #expect(script.wait(.seconds(10)) == [])
    }

    @Test("A stream in the other mode than asked for is destroyed") func wrongMode() {
        var script = ClientScript()
        _ = script.connect()
        #expect(
            script.receive(.opened(1, 9, handshake: 3))
                == ["→ destroy 1", "closed c1: The relay opened a stream for a handshake that was not made"])
        _ = script.connect(.client)
        #expect(script.receive(.opened(2, 9)).first == "→ destroy 2")
    }

    @Test("Beyond the limit no stream is begun") func streamsLimit() {
        var limits = RelayLimits()
        limits.streams = 1
        var script = ClientScript(limits: limits)
        _ = script.connect()
        #expect(script.ask { $0.connect(to: Bytes32(), as: .test, custody: .relay) } == ["refused"])
    }
}

@Suite("Relay client: handshakes with its own key") struct ClientHandshakeTests {
    /// The peer that the client connects to.
    private let peer = NoiseHandshake.responder(.other, ephemeralSeed: nil)!

    /// Connects, and gives the first message to the peer.
    private func connecting(_ script: inout ClientScript) throws -> [UInt8] {
        _ = script.connect(.client)
        let noiseSend = RelayMessage.noiseSend(5, to: 1)
        var message: [UInt8] = []
        for action in script.session.received(noiseSend, at: script.now) {
            guard case .send(.noiseReply(let reply)) = action else { continue }
            #expect(reply.step == .initiatorFirst)
            message = reply.payload.array
        }
        #expect(peer.read(MessageBytes(message)) == smallestPayload.array)
        return try #require(peer.write(smallestPayload))
    }

    @Test("The client makes the first message, reads the second, and both sides agree") func initiator() throws {
        var script = ClientScript()
        let answer = try connecting(&script)
        var secrets: HandshakeSecrets?
        for action in script.session.received(.noiseReceive(5, answer), at: script.now) {
            guard case .send(.noiseReply(let reply)) = action, case .initiatorLast(let sent) = reply.step else {
                continue
            }
            #expect(reply.payload == smallestPayload)
            secrets = sent
        }
        let agreed = try #require(peer.result)
        #expect(secrets?.holepunchSecret == agreed.secrets.holepunchSecret)
        #expect(secrets?.remoteID != agreed.secrets.remoteID)
        for action in script.session.received(.opened(1, 9, handshake: 5), at: script.now) {
            guard case .opened(_, .byClient(let result)) = action else { continue }
            #expect(result.handshakeHash == agreed.handshakeHash)
            #expect(result.remotePublicKey == RelayKeyPair.other.publicKey)
        }
        #expect(script.session.handshakes.isEmpty)
        #expect(script.write([[1, 2, 3]], to: 1) == ["written", "→ data 1 [010203]"])
    }

    @Test("A stream is asked for one message, and replies to one, whatever the relay repeats (C2)") func once() throws {
        var script = ClientScript()
        let answer = try connecting(&script)
        #expect(script.receive(.noiseSend(5, to: 1)) == [])
        #expect(script.receive(.noiseSend(6, to: 1)) == [])
        #expect(script.receive(.noiseReceive(5, answer)).count == 1)
        #expect(script.receive(.noiseReceive(5, answer)) == [])
        #expect(script.receive(.noiseReceive(6, answer)) == [])
        #expect(script.receive(.noiseSend(5)) == [])
    }

    @Test("A peer's message that is not genuine fails that stream and nothing else (C1)") func forged() throws {
        for change in [0, 34, 51] {
            var script = ClientScript()
            var answer = try ClientHandshakeTests().connecting(&script)
            answer[change] ^= 1
            #expect(
                script.receive(.noiseReceive(5, answer)) == [
                    "→ noiseReply n5 initiator first empty", "→ destroy 1",
                    "closed c1: HANDSHAKE_INVALID: Received invalid handshake",
                ])
            #expect(script.session.holdsNothing)
            #expect(!script.session.isClosed)
        }
        for size in [0, 31, 47] {
            var script = ClientScript()
            let answer = try ClientHandshakeTests().connecting(&script)
            #expect(script.receive(.noiseReceive(5, Array(answer.prefix(size)))).count == 3)
        }
    }

    @Test("A payload that cannot be read fails the stream too") func badPayload() throws {
        var script = ClientScript()
        _ = script.connect(.client)
        for action in script.session.received(.noiseSend(5, to: 1), at: script.now) {
            guard case .send(.noiseReply(let reply)) = action else { continue }
            _ = peer.read(reply.payload)
        }
        let answer = try #require(peer.write(MessageBytes([1, 2])))
        #expect(script.receive(.noiseReceive(5, answer)).count == 3)
    }

    @Test("A key that is no key fails the stream") func badKey() {
        var script = ClientScript()
        _ = script.session.connect(to: Bytes32(), as: .test, custody: .client)
        #expect(
            script.receive(.noiseSend(5, to: 1))
                == ["→ destroy 1", "closed c1: The key to connect to is not a valid public key"])
    }

    @Test("A stream opened for a handshake that was not made is destroyed (C15)") func unknownHandshake() throws {
        var script = ClientScript()
        _ = try connecting(&script)
        #expect(
            script.receive(.opened(1, 9, handshake: 6))
                == ["→ destroy 1", "closed c1: The relay opened a stream for a handshake that was not made"])
        _ = script.connect(.client)
        _ = script.receive(.noiseSend(7, to: 2))
        #expect(script.receive(.opened(2, 9, handshake: 7)).count == 2)  // not complete
        #expect(script.session.holdsNothing)
    }

    @Test("A connect that fails takes its handshake along (C22)") func failedConnect() throws {
        var script = ClientScript()
        _ = try connecting(&script)
        _ = script.receive(.destroy(.init(.remoteAlias(1), error: "x")))
        #expect(script.session.holdsNothing)
    }

    @Test("In clients that cut, data of a secret stream goes in pieces") func cutting() throws {
        var script = ClientScript()
        let answer = try connecting(&script)
        _ = script.receive(.noiseReceive(5, answer))
        _ = script.receive(.opened(1, 9, handshake: 5))
        #expect(
            script.write([[UInt8](repeating: 0, count: 140_000)], to: 1)
                == ["written", "→ data 1 [65536 bytes]", "→ data 1 [65536 bytes]", "→ data 1 [8928 bytes]"])
        #expect(script.receive(data: [[], [1]], for: 9) == ["received c1 [01]"])
    }

    // MARK: Responding

    /// A peer that knocks at server 3 of the relay's, server 1 of the client's.
    private func knocking() throws -> (ClientScript, NoiseHandshake, [UInt8]) {
        var script = ClientScript()
        _ = script.listen(as: 3, .client)
        let peer = try #require(
            NoiseHandshake.initiator(.other, to: RelayKeyPair.test.publicKey, ephemeralSeed: nil))
        return (script, peer, try #require(peer.write(smallestPayload)))
    }

    @Test("The user decides, the client answers, and both sides agree") func responder() throws {
        var (script, peer, message) = try knocking()
        #expect(script.receive(.noiseReceive(5, at: 3, message)) == ["incoming n5 sc1 01000000"])
        #expect(
            script.user { $0.decide(.handshake(HandshakeID(5)), isAllowed: true, at: $1) }
                == ["→ noiseReply n5 responder first 01000000"])
        var secrets: HandshakeSecrets?
        for action in script.session.received(.noiseSend(5), at: script.now) {
            guard case .send(.noiseReply(let reply)) = action, case .responderLast(let sent) = reply.step else {
                continue
            }
            #expect(peer.read(reply.payload) == smallestPayload.array)
            secrets = sent
        }
        let agreed = try #require(peer.result)
        #expect(secrets?.holepunchSecret == agreed.secrets.holepunchSecret)
        #expect(
            script.receive(.offered(9, at: 3, proof: .handshake(HandshakeID(5))))
                == ["→ connected c2 r9", "accepted sc1 c2 as responder"])
        #expect(script.session.handshakes.isEmpty)
        #expect(script.receive(data: [[1]], for: 9) == ["received c2 [01]"])
    }

    @Test("The user may take its time, and no is an empty payload (C3, C23)") func denied() throws {
        var (script, _, message) = try knocking()
        _ = script.receive(.noiseReceive(5, at: 3, message))
        _ = script.wait(.seconds(9))
        #expect(
            script.user { $0.decide(.handshake(HandshakeID(5)), isAllowed: false, at: $1) }
                == ["→ noiseReply n5 responder first empty"])
        #expect(script.user { $0.decide(.handshake(HandshakeID(5)), isAllowed: true, at: $1) } == [])
        #expect(script.session.handshakes.isEmpty)
    }

    @Test("Too late is no") func decidedTooLate() throws {
        var (script, _, message) = try knocking()
        _ = script.receive(.noiseReceive(5, at: 3, message))
        #expect(script.wait(.seconds(10)) == ["→ noiseReply n5 responder first empty"])
        #expect(script.user { $0.decide(.handshake(HandshakeID(5)), isAllowed: true, at: $1) } == [])
    }

    @Test("Strangers that send garbage are turned away, and the link stays (C1, C2)") func garbage() throws {
        var (script, _, message) = try knocking()
        let garbage = [[], Array(message.prefix(79)), Array(message.prefix(90)), [UInt8](repeating: 0, count: 100)]
        for garbage in garbage {
            #expect(
                script.receive(.noiseReceive(5, at: 3, garbage)) == ["→ noiseReply n5 responder first empty"])
        }
        #expect(script.receive(.noiseReceive(6, at: 3, message)) == ["incoming n6 sc1 01000000"])
        #expect(script.receive(.noiseReceive(6, at: 3, message)) == [])
    }

    @Test("A peer that was let in and never came is forgotten") func neverCame() throws {
        var (script, _, message) = try knocking()
        _ = script.receive(.noiseReceive(5, at: 3, message))
        _ = script.user { $0.decide(.handshake(HandshakeID(5)), isAllowed: true, at: $1) }
        _ = script.receive(.ping)
        _ = script.wait(.seconds(30))
        #expect(script.session.handshakes.isEmpty)
        #expect(script.receive(.noiseSend(5)) == [])
    }

    @Test("A stream of a peer that was not let in, or is another one, is turned away (C15)") func unknownPeer() throws {
        var (script, _, message) = try knocking()
        let turnedAway = { (number: Int) in ["→ connected c\(number) r9", "→ destroy \(number)"] }
        #expect(script.receive(.offered(9, at: 3, proof: .handshake(HandshakeID(5)))) == turnedAway(2))
        _ = script.receive(.noiseReceive(5, at: 3, message))
        #expect(script.receive(.offered(9, at: 3, proof: .handshake(HandshakeID(5)))) == turnedAway(3))
        _ = script.user { $0.decide(.handshake(HandshakeID(5)), isAllowed: true, at: $1) }
        _ = script.receive(.noiseSend(5))
        #expect(
            script.receive(.offered(9, at: 3, proof: .handshake(HandshakeID(5)), from: Bytes32())) == turnedAway(4))
        #expect(script.receive(.offered(9, at: 3)) == turnedAway(5))
        #expect(script.receive(.offered(9, at: 3, proof: .handshake(HandshakeID(5)))).count == 2)
    }

    @Test("There are so many handshakes and undecided peers, and no more") func limits() throws {
        var limits = RelayLimits()
        limits.unansweredRequests = 1
        var script = ClientScript(limits: limits)
        _ = script.listen(as: 3, .client)
        for (handshake, expected) in [(5, "incoming n5 sc1 01000000"), (6, "→ noiseReply n6 responder first empty")] {
            let peer = try #require(
                NoiseHandshake.initiator(.other, to: RelayKeyPair.test.publicKey, ephemeralSeed: nil))
            let message = try #require(peer.write(smallestPayload))
            #expect(script.receive(.noiseReceive(UInt32(handshake), at: 3, message)) == [expected])
        }
    }
}
