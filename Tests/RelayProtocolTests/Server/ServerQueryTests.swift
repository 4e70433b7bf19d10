import Testing

@testable import RelayProtocol

@Suite("Relay session: queries and signatures") struct ServerQueryTests {
    private func announce(_ query: UInt32, _ credentials: Credentials = .test) -> RelayMessage.Announce {
        .init(query: QueryID(query), topic: Bytes32(repeating: 9), credentials: credentials)
    }

    /// The signature that the client of ``Credentials/own`` makes for what ``RelayServerSession/signatureNeeded(by:at:)`` asks.
    private func signature(_ kind: RelayServerSession.AnnouncementKind = .announce) throws -> [UInt8] {
        let announcement = Announcement(
            kind: kind, target: Bytes32(repeating: 9), nodeID: Bytes32(repeating: 8), token: Bytes32(repeating: 7),
            relayAddresses: IPv4EndpointList([.test]))
        return try #require(announcement.signature(of: .test)).array
    }

    @Test("A lookup passes on what is found and finishes") func lookup() {
        var script = ServerScript()
        #expect(script.receive(.lookup(QueryID(4), topic: Bytes32())) == ["lookup q4"])
        #expect(
            script.node { session, _ in session.queryResult(QueryID(4), record: .ofSize(47)) }
                == ["→ result q4 47 bytes"])
        #expect(script.node { session, _ in session.queryFinished(QueryID(4)) } == ["→ finished q4"])
        #expect(script.node { session, _ in session.queryFinished(QueryID(4)) } == [])
        #expect(script.node { session, _ in session.queryResult(QueryID(4), record: .ofSize(47)) } == [])
        #expect(script.receive(.lookup(QueryID(4), topic: Bytes32())) == ["lookup q4"])
    }

    @Test("Announcing and taking back go to the node with the key they need") func announcing() {
        var script = ServerScript()
        #expect(script.receive(.announce(announce(1))) == ["announce q1 custodial"])
        #expect(script.receive(.unannounce(announce(2))) == ["unannounce q2 custodial"])
        #expect(script.receive(.announce(announce(3, .own))) == ["announce q3 own key"])
        #expect(script.receive(.unannounce(announce(4, .own))) == ["unannounce q4 own key"])
    }

    @Test("A query with a wrong key pair, or one too many, is finished at once") func refused() {
        var limits = RelayLimits()
        limits.queries = 1
        var script = ServerScript(limits: limits)
        #expect(script.receive(.announce(announce(1, .custodial(.invalid)))) == ["→ finished q1"])
        _ = script.receive(.lookup(QueryID(2), topic: Bytes32()))
        #expect(script.receive(.lookup(QueryID(3), topic: Bytes32())) == ["→ finished q3"])
    }

    @Test("A number in use cannot be queried under, nor that of a server") func reuse() {
        var script = ServerScript()
        _ = script.receive(.lookup(QueryID(2), topic: Bytes32()))
        #expect(script.receive(.announce(announce(2))).last == "close link: announce: number 2 is in use")
        var other = ServerScript()
        _ = other.listen(2)
        #expect(
            other.receive(.lookup(QueryID(2), topic: Bytes32())).last == "close link: lookup: number 2 is in use")
    }

    @Test("A request for a signature carries the record's real addresses (R1)") func relayAddresses() {
        var script = ServerScript()
        _ = script.receive(.announce(announce(5, .own)))
        let (request, actions) = script.session.signatureNeeded(by: .query(QueryID(5)), at: script.now)
        #expect(request == SignatureRequestID(1))
        guard case .send(.signAnnounce(let sign))? = Array(actions).first else {
            Issue.record("no request: \(actions)")
            return
        }
        #expect(sign.relayAddresses.array == [.test])
        #expect(sign.signee == 5)
        #expect(sign.nodeID == MessageBytes([UInt8](repeating: 8, count: 32)))
        #expect(sign.token == Bytes32(repeating: 7))
    }

    @Test("Server and query sign under the client's number for them") func signees() {
        var script = ServerScript()
        let server = script.listen(6, credentials: .own)
        _ = script.receive(.unannounce(announce(5, .own)))
        #expect(
            script.ask { $0.signatureNeeded(by: .server(server), at: $1) } == ["#2", "→ signAnnounce s2 by 6"])
        #expect(
            script.ask { $0.signatureNeeded(by: .query(QueryID(5)), for: .unannounce, at: $1) }
                == ["#3", "→ signUnannounce s3 by 5"])
    }

    @Test("A genuine signature is used") func genuine() throws {
        var script = ServerScript()
        _ = script.receive(.announce(announce(5, .own)))
        _ = script.ask { $0.signatureNeeded(by: .query(QueryID(5)), at: $1) }
        let signed = RelayMessage.signature(SignatureRequestID(1), MessageBytes(try signature()))
        #expect(script.receive(signed) == ["use s1"])
        #expect(script.receive(signed) == [])
    }

    @Test("A signature that is too short, too long, or not genuine is not used (R14)") func notGenuine() throws {
        let genuine = try signature()
        var forged = genuine
        forged[0] ^= 1
        let wrong = [[], Array(genuine.prefix(10)), Array(genuine.dropLast()), genuine + [0], forged]
        for signature in wrong + [try self.signature(.unannounce)] {
            var script = ServerScript()
            _ = script.receive(.announce(announce(5, .own)))
            _ = script.ask { $0.signatureNeeded(by: .query(QueryID(5)), at: $1) }
            #expect(script.receive(.signature(SignatureRequestID(1), MessageBytes(signature))) == ["skip s1"])
        }
    }

    @Test("A signature that does not come in time is skipped, and one for a query that is over") func skipped() {
        var script = ServerScript()
        _ = script.receive(.announce(announce(5, .own)))
        _ = script.ask { $0.signatureNeeded(by: .query(QueryID(5)), at: $1) }
        #expect(script.wait(.seconds(10)) == ["skip s1"])
        _ = script.ask { $0.signatureNeeded(by: .query(QueryID(5)), at: $1) }
        #expect(script.node { session, _ in session.queryFinished(QueryID(5)) } == ["skip s2", "→ finished q5"])
    }

    @Test("A signature the node no longer wants is forgotten") func abandoned() {
        var script = ServerScript()
        _ = script.receive(.announce(announce(5, .own)))
        _ = script.ask { $0.signatureNeeded(by: .query(QueryID(5)), at: $1) }
        script.session.signatureAbandoned(SignatureRequestID(1))
        #expect(script.wait(.seconds(10)) == [])
    }

    @Test("Who has given its key is not asked to sign, nor who is unknown, nor too often") func notAsked() {
        var limits = RelayLimits()
        limits.unansweredRequests = 1
        var script = ServerScript(limits: limits)
        let (custodial, own) = (script.listen(6), script.listen(7, credentials: .own))
        _ = script.receive(.announce(announce(5)))
        #expect(script.ask { $0.signatureNeeded(by: .server(custodial), at: $1) } == ["refused"])
        #expect(script.ask { $0.signatureNeeded(by: .query(QueryID(5)), at: $1) } == ["refused"])
        #expect(script.ask { $0.signatureNeeded(by: .query(QueryID(77)), at: $1) } == ["refused"])
        #expect(script.ask { $0.signatureNeeded(by: .server(own), at: $1) }.count == 2)
        #expect(script.ask { $0.signatureNeeded(by: .server(own), at: $1) } == ["refused"])
    }

    @Test("A closing server can still be signed off; after the link is lost nobody signs (R25)") func signingOff() {
        var script = ServerScript()
        let server = script.listen(7, credentials: .own)
        _ = script.receive(.close(ClientServerID(7)))
        #expect(
            script.ask { $0.signatureNeeded(by: .server(server), for: .unannounce, at: $1) }.last
                == "→ signUnannounce s2 by 7")
        #expect(script.node { session, _ in session.linkClosed() } == ["skip s2", "close sr1 quietly"])
        #expect(script.ask { $0.signatureNeeded(by: .server(server), at: $1) } == ["refused"])
    }
}
