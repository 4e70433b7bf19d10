import Testing

@testable import RelayProtocol

@Suite("Relay client: servers") struct ClientServerTests {
    @Test("A server listens, takes peers that the user lets in, and closes") func lifeOfAServer() {
        var script = ClientScript()
        #expect(
            script.ask { $0.listen(as: .test, custody: .relay) } == ["#1", "→ listen sc1 custodial"])
        #expect(script.receive(.listening(3, 1)) == ["listening sc1 127.0.0.1:4000"])
        #expect(script.receive(.incoming(5, at: 3)) == ["incoming f5 sc1 01000000"])
        #expect(
            script.user { $0.decide(.request(FirewallRequestID(5)), isAllowed: true, at: $1) } == ["→ accept f5"])
        #expect(script.receive(.offered(9, at: 3)) == ["→ connected c2 r9", "accepted sc1 c2 hash 0"])
        #expect(script.receive(data: [[1]], for: 9) == ["received c2 [01]"])
        #expect(script.user { session, _ in session.close(ClientServerID(1)) } == ["→ close sc1"])
        #expect(script.user { session, _ in session.close(ClientServerID(1)) } == [])
        #expect(script.receive(.closed(RelayServerID(3))) == ["server closed sc1"])
        #expect(script.write([[1]], to: 2) == ["written", "→ data 2 [01]"])
    }

    @Test("The user says no, or nothing in time", arguments: [true, false]) func denied(inTime: Bool) {
        var script = ClientScript()
        _ = script.listen(as: 3)
        _ = script.receive(.incoming(5, at: 3))
        if inTime {
            #expect(
                script.user { $0.decide(.request(FirewallRequestID(5)), isAllowed: false, at: $1) } == ["→ deny f5"])
        } else {
            #expect(script.wait(.seconds(10)) == ["→ deny f5"])
        }
        #expect(script.user { $0.decide(.request(FirewallRequestID(5)), isAllowed: true, at: $1) } == [])
    }

    @Test("A peer whose payload cannot be read, or one too many, is denied; a repeated question is not asked twice")
    func deniedAtOnce() {
        var limits = RelayLimits()
        limits.unansweredRequests = 2
        var script = ClientScript(limits: limits)
        _ = script.listen(as: 3)
        #expect(script.receive(.incoming(4, at: 3, payload: MessageBytes([1, 2]))) == ["→ deny f4"])
        _ = script.receive(.incoming(5, at: 3))
        #expect(script.receive(.incoming(5, at: 3)) == [])
        _ = script.receive(.incoming(6, at: 3))
        #expect(script.receive(.incoming(7, at: 3)) == ["→ deny f7"])
    }

    @Test("A relay that could not listen says so in one breath (R2)") func refused() {
        var script = ClientScript()
        _ = script.session.listen(as: .test, custody: .relay)
        #expect(script.receive(.listening(3, 1, at: .unknown)) == [])
        #expect(
            script.receive(.closed(RelayServerID(3)))
                == ["server closed sc1: The relay refused to listen with this key; another node may be using it"])
        #expect(script.session.holdsNothing)
    }

    @Test("A relay that does not know its address listens nevertheless (R5)") func unknownAddress() {
        var script = ClientScript()
        _ = script.session.listen(as: .test, custody: .relay)
        #expect(script.receive(.listening(3, 1, at: .unknown)) == [])
        #expect(script.wait(.milliseconds(250)) == ["listening sc1 0.0.0.0:0"])
        _ = script.session.listen(as: .test, custody: .relay)
        #expect(script.receive(.listening(4, 2, at: .unknown)) == [])
        #expect(script.receive(.incoming(5, at: 4)) == ["listening sc2 0.0.0.0:0", "incoming f5 sc2 01000000"])
    }

    @Test("A server closed before it listens is closed as soon as it does") func closedEarly() {
        var script = ClientScript()
        _ = script.session.listen(as: .test, custody: .relay)
        #expect(script.user { session, _ in session.close(ClientServerID(1)) } == [])
        #expect(script.receive(.listening(3, 1)) == ["→ close sc1"])
        #expect(script.receive(.closed(RelayServerID(3))) == ["server closed sc1"])
    }

    @Test("A server that the relay closes says so") func closedByRelay() {
        var script = ClientScript()
        _ = script.listen(as: 3)
        #expect(script.receive(.closed(RelayServerID(3))) == ["server closed sc1: The relay closed the server"])
    }

    @Test("A closing server takes nobody") func closing() {
        var script = ClientScript()
        _ = script.listen(as: 3)
        _ = script.user { session, _ in session.close(ClientServerID(1)) }
        #expect(script.receive(.incoming(5, at: 3)) == ["→ deny f5"])
        #expect(script.receive(.offered(9, at: 3)) == ["→ connected c2 r9", "→ destroy 2"])
    }

    @Test("Two servers cannot have one number of the relay's, nor two streams") func reuse() {
        var script = ClientScript()
        _ = script.listen(as: 3)
        _ = script.session.listen(as: .test, custody: .relay)
        #expect(script.receive(.listening(3, 2)).last == "close link: listening: number 3 is in use")
        var other = ClientScript()
        _ = other.listen(as: 3)
        _ = other.receive(.offered(9, at: 3))
        #expect(other.receive(.offered(9, at: 3)).last == "close link: connection: number 9 is in use")
    }

    @Test("A server of the other mode is not asked in this one") func wrongMode() {
        var script = ClientScript()
        _ = script.listen(as: 3)
        _ = script.listen(as: 4, .client)
        #expect(script.receive(.incoming(5, at: 4)) == ["→ deny f5"])
        #expect(script.receive(.noiseReceive(5, at: 3, [])) == ["→ noiseReply n5 responder first empty"])
        #expect(script.receive(.offered(9, at: 4)).last == "→ destroy 3")
    }

    @Test("With its own key, a server is signed for; a relay that never asks has announced nothing") func notAnnounced()
    {
        var script = ClientScript()
        #expect(script.ask { $0.listen(as: .test, custody: .client) } == ["#1", "→ listen sc1 own key"])
        #expect(script.receive(.signAnnounce(.test(signee: 1))) == ["→ signature s50 64 bytes"])
        #expect(script.receive(.listening(3, 1)) == ["listening sc1 127.0.0.1:4000"])
        #expect(script.receive(.signUnannounce(.test(signee: 1))) == ["→ signature s50 64 bytes"])

        _ = script.session.listen(as: .test, custody: .client)
        let actions = script.receive(.listening(4, 2))
        #expect(actions.first?.hasPrefix("server closed sc2: The relay did not ask for signatures") == true)
        #expect(actions.dropFirst() == ["→ close sc2"])
        #expect(script.receive(.incoming(5, at: 4)) == ["→ deny f5"])
        #expect(script.receive(.closed(RelayServerID(4))) == [])
    }

    @Test("Beyond the limit no server is opened") func serversLimit() {
        var limits = RelayLimits()
        limits.servers = 1
        var script = ClientScript(limits: limits)
        _ = script.session.listen(as: .test, custody: .relay)
        #expect(script.ask { $0.listen(as: .test, custody: .relay) } == ["refused"])
    }
}

@Suite("Relay client: queries and signatures") struct ClientQueryTests {
    private let topic = Bytes32(repeating: 9)

    /// A record that says one peer announced.
    private func record(of publicKey: Bytes32) -> MessageBytes {
        let unknownNode: [UInt8] = [0, 0, 0, 0, 0, 0, 0]
        return MessageBytes([UInt8](repeating: 7, count: 32) + unknownNode + unknownNode + [1] + publicKey.array + [0])
    }

    @Test("A lookup yields what is found, and finishes by itself (C11)") func lookup() {
        var script = ClientScript()
        #expect(script.ask { $0.lookup(topic) } == ["#1", "→ lookup q1"])
        #expect(script.receive(.result(QueryID(1), record(of: topic))) == ["found q1 80 bytes"])
        #expect(script.receive(.result(QueryID(1), MessageBytes([1, 2, 3]))) == [])
        #expect(script.receive(.finished(QueryID(1))) == ["finished q1"])
        #expect(script.receive(.finished(QueryID(1))) == [])
    }

    @Test("A query that is given up reports nothing more, and keeps its number until the relay is done (C17)")
    func abandoned() {
        var script = ClientScript()
        _ = script.session.lookup(topic)
        #expect(script.user { session, _ in session.abandon(QueryID(1)) } == ["finished q1"])
        #expect(script.user { session, _ in session.abandon(QueryID(1)) } == [])
        #expect(script.receive(.result(QueryID(1), record(of: topic))) == [])
        #expect(script.ask { $0.lookup(topic) } == ["#2", "→ lookup q2"])
        #expect(script.receive(.finished(QueryID(1))) == [])
    }

    @Test("Announcing and taking back with the key at the relay") func custodial() {
        var script = ClientScript()
        #expect(
            script.ask { $0.announce(topic, as: .test, custody: .relay) } == ["#1", "→ announce q1 custodial"])
        #expect(script.receive(.signAnnounce(.test(signee: 1))) == [])
        #expect(script.receive(.finished(QueryID(1))) == ["finished q1"])
        #expect(
            script.ask { $0.unannounce(topic, as: .test, custody: .relay) } == ["#2", "→ unannounce q2 custodial"])
        #expect(script.receive(.finished(QueryID(2))) == ["finished q2"])
    }

    @Test("With its own key it signs what it is about, and only that") func signing() throws {
        var script = ClientScript()
        _ = script.session.announce(topic, as: .test, custody: .client)
        _ = script.session.unannounce(topic, as: .test, custody: .client)
        _ = script.session.lookup(topic)
        #expect(script.receive(.signUnannounce(.test(signee: 1))) == [])
        #expect(script.receive(.signAnnounce(.test(signee: 2))) == [])
        #expect(script.receive(.signAnnounce(.test(signee: 3))) == [])
        #expect(script.receive(.signUnannounce(.test(signee: 2))) == ["→ signature s50 64 bytes"])

        let announcement = Announcement(
            kind: .announce, target: topic, nodeID: Bytes32(repeating: 8), token: Bytes32(repeating: 7),
            relayAddresses: IPv4EndpointList([.test]))
        let actions = script.session.received(.signAnnounce(.test(signee: 1)), at: script.now)
        guard case .send(.signature(_, let signature))? = Array(actions).first else {
            Issue.record("no signature: \(actions)")
            return
        }
        let bytes = try #require(Bytes64(signature.array))
        #expect(announcement.isSigned(by: RelayKeyPair.test.publicKey, with: bytes))
    }

    @Test("A node without an id is not signed for", arguments: [0, 31, 33]) func nodeID(size: Int) {
        var script = ClientScript()
        _ = script.session.announce(topic, as: .test, custody: .client)
        let nodeID = [UInt8](repeating: 8, count: size)
        #expect(script.receive(.signAnnounce(.test(signee: 1, nodeID: nodeID))) == [])
    }

    @Test("A relay that finishes without asking for a signature has announced nothing (R1)") func notAnnounced() {
        var script = ClientScript()
        _ = script.session.announce(topic, as: .test, custody: .client)
        #expect(
            script.receive(.finished(QueryID(1))).first?.hasPrefix("finished q1: The relay did not ask for signatures")
                == true)
        _ = script.session.announce(topic, as: .test, custody: .client)
        _ = script.receive(.signAnnounce(.test(signee: 2)))
        #expect(script.receive(.finished(QueryID(2))) == ["finished q2"])
    }

    @Test("Taking back what nobody has needs no signature; what somebody has does") func notUnannounced() {
        var script = ClientScript()
        _ = script.session.unannounce(topic, as: .test, custody: .client)
        _ = script.receive(.result(QueryID(1), record(of: RelayKeyPair.other.publicKey)))
        #expect(script.receive(.finished(QueryID(1))) == ["finished q1"])
        _ = script.session.unannounce(topic, as: .test, custody: .client)
        _ = script.receive(.result(QueryID(2), record(of: RelayKeyPair.test.publicKey)))
        #expect(
            script.receive(.finished(QueryID(2))).first?.hasPrefix("finished q2: The relay did not ask for signatures")
                == true)
    }

    @Test("Beyond the limit no query is begun") func queriesLimit() {
        var limits = RelayLimits()
        limits.queries = 1
        var script = ClientScript(limits: limits)
        _ = script.session.lookup(topic)
        #expect(!script.session.canBeginQuery)
        #expect(script.ask { $0.lookup(topic) } == ["refused"])
    }
}
