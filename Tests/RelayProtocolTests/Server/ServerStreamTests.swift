import Testing

@testable import RelayProtocol

@Suite("Relay session: streams") struct ServerStreamTests {
    @Test("A custodial connect opens, carries data both ways and ends half by half") func lifeOfAStream() {
        var script = ServerScript()
        #expect(script.receive(.connect(.custodial(9))) == ["connect r1 custodial"])
        let stream = RelayStreamID(1)
        #expect(script.node { $0.peerOpened(stream, handshakeHash: Bytes64(), at: $1) } == ["→ open r1 c9 hash 0"])
        #expect(script.receive(data: [[1], [2, 3]], for: 9) == ["write r1 [01 0203]"])
        #expect(script.peerData(1, [4, 5]) == ["→ data 1 [0405]"])
        #expect(script.receive(.end(alias: 9)) == ["end r1"])
        #expect(script.receive(.end(alias: 9)) == [])
        #expect(script.peerData(1, [6]) == ["→ data 1 [06]"])
        #expect(script.node { session, _ in session.peerEnded(stream) } == ["→ end 1"])
        #expect(script.session.clientStreams.isEmpty)
        #expect(script.node { $0.peerClosed(stream, error: nil, at: $1) } == [])
        #expect(script.session.holdsNothing)
    }

    @Test("The peer may end first") func peerEndsFirst() {
        var script = ServerScript()
        let stream = RelayStreamID(script.open(9))
        #expect(script.node { session, _ in session.peerEnded(stream) } == ["→ end \(stream)"])
        #expect(script.peerData(stream.number, [1]) == [])
        #expect(script.receive(data: [[1]], for: 9) == ["write r\(stream) [01]"])
        #expect(script.receive(.end(alias: 9)) == ["end r\(stream)"])
        #expect(script.session.clientStreams.isEmpty)
    }

    @Test("A connect that fails is told by the client's number, with the node's text") func connectFails() {
        var script = ServerScript()
        _ = script.receive(.connect(.custodial(9)))
        #expect(
            script.node { $0.peerClosed(RelayStreamID(1), error: "PEER_NOT_FOUND: Peer not found", at: $1) }
                == ["→ destroy remote 9 \"PEER_NOT_FOUND: Peer not found\""])
        #expect(script.session.holdsNothing)
    }

    @Test("A stream that closes without error is told too, before and after open (R7)") func silentClose() {
        var script = ServerScript()
        _ = script.receive(.connect(.custodial(8)))
        #expect(script.node { $0.peerClosed(RelayStreamID(1), error: nil, at: $1) } == ["→ destroy remote 8"])
        let stream = script.open(9)
        #expect(script.node { $0.peerClosed(RelayStreamID(stream), error: nil, at: $1) } == ["→ destroy \(stream)"])
    }

    @Test("An error always has a text") func errorText() {
        var script = ServerScript()
        let stream = script.open(9)
        #expect(
            script.node { $0.peerClosed(RelayStreamID(stream), error: "connection reset by peer", at: $1) }
                == ["→ destroy \(stream) \"connection reset by peer\""])
        let other = script.open(10)
        #expect(
            script.node { $0.peerClosed(RelayStreamID(other), error: "", at: $1) }
                == ["→ destroy \(other) \"UNKNOWN_ERROR: Unknown error\""])
    }

    @Test("A client destroys its stream, before or after open, and hears nothing more of it (C4)") func clientDestroys()
    {
        var script = ServerScript()
        _ = script.receive(.connect(.custodial(8)))
        #expect(script.receive(.destroy(.init(.alias(8), error: nil))) == ["destroy r1"])
        #expect(script.node { $0.peerOpened(RelayStreamID(1), handshakeHash: Bytes64(), at: $1) } == [])
        let stream = script.open(9)
        #expect(script.receive(.destroy(.init(.alias(9), error: "why"))) == ["destroy r\(stream) \"why\""])
        #expect(script.node { $0.peerClosed(RelayStreamID(stream), error: "x", at: $1) } == [])
        #expect(script.receive(.connect(.custodial(9))) == ["connect r3 custodial"])
        #expect(script.session.streams.count == 1)
    }

    @Test("Data and end before open wait for it") func earlyData() {
        var script = ServerScript()
        _ = script.receive(.connect(.custodial(9)))
        #expect(script.receive(data: [[1]], for: 9) == [])
        #expect(script.receive(data: [[2], [3]], for: 9) == [])
        #expect(script.receive(.end(alias: 9)) == [])
        #expect(script.session.bufferedByteCount > 0)
        #expect(
            script.node { $0.peerOpened(RelayStreamID(1), handshakeHash: Bytes64(), at: $1) }
                == ["→ open r1 c9 hash 0", "write r1 [01]", "write r1 [02 03]", "end r1"])
        #expect(script.session.backlogByteCount == 0)
    }

    @Test("Too much before open destroys the stream") func backlogLimit() {
        var script = ServerScript()
        _ = script.receive(.connect(.custodial(9)))
        #expect(script.receive(data: [[UInt8](repeating: 0, count: 60_000)], for: 9) == [])
        #expect(
            script.receive(data: [[UInt8](repeating: 0, count: 6_000)], for: 9)
                == ["→ destroy remote 9 \"RELAY_LIMIT: Too much data before the stream is open\"", "destroy r1"])
        #expect(script.session.holdsNothing)
    }

    @Test("All streams together have one backlog") func sharedBacklog() {
        var script = ServerScript()
        for stream in 1...5 as ClosedRange<UInt32> {
            _ = script.receive(.connect(.custodial(stream)))
            let actions = script.receive(data: [[UInt8](repeating: 0, count: 60_000)], for: stream)
            #expect(actions.isEmpty == (stream < 5))
        }
    }

    @Test("Data after the end of the stream destroys it") func dataAfterEnd() {
        var script = ServerScript()
        let stream = script.open(9)
        _ = script.receive(.end(alias: 9))
        #expect(
            script.receive(data: [[1]], for: 9)
                == ["→ destroy \(stream) \"RELAY_PROTOCOL: Data after the end of the stream\"", "destroy r\(stream)"])
    }

    @Test("An empty data message does nothing; an empty chunk is the peer's keep-alive") func emptyData() {
        var script = ServerScript()
        let stream = script.open(9)
        #expect(script.receive(data: [], for: 9) == [])
        #expect(script.receive(data: [[]], for: 9) == ["write r\(stream) []"])
        #expect(script.peerData(stream, []) == [])
    }

    @Test("A number that is in use cannot be used again (R18)") func reuse() {
        var script = ServerScript()
        let stream = script.open(9)
        #expect(
            script.receive(.connect(.custodial(9)))
                == ["destroy r\(stream)", "close link: connect: number 9 is in use"])
    }

    @Test("A key pair whose halves do not belong together is refused at once (R20)") func keyPair() {
        var script = ServerScript()
        let connect = RelayMessage.Connect(
            stream: ClientStreamID(1), credentials: .custodial(.invalid), remotePublicKey: Bytes32())
        #expect(
            script.receive(.connect(connect))
                == ["→ destroy remote 1 \"RELAY_INVALID_KEY_PAIR: The secret key does not belong to the public key\""])
        #expect(script.receive(.connect(.custodial(1))) == ["connect r1 custodial"])
    }

    @Test("A client has so many streams and no more (R19)") func streamsLimit() {
        var limits = RelayLimits()
        limits.streams = 2
        var script = ServerScript(limits: limits)
        _ = script.open(1)
        _ = script.open(2)
        #expect(
            script.receive(.connect(.custodial(3))) == ["→ destroy remote 3 \"RELAY_LIMIT: Too many streams\""])
        let server = script.listen(4)
        #expect(script.offer(server) == ["refused"])
        _ = script.receive(.destroy(.init(.alias(1), error: nil)))
        #expect(script.receive(.connect(.custodial(3))) == ["connect r4 custodial"])
    }

    @Test("Fewer of them may be connecting") func connectingLimit() {
        var limits = RelayLimits()
        limits.connectingStreams = 1
        var script = ServerScript(limits: limits)
        _ = script.open(1)
        #expect(script.receive(.connect(.custodial(2))) == ["connect r2 custodial"])
        #expect(
            script.receive(.connect(.custodial(3))) == ["→ destroy remote 3 \"RELAY_LIMIT: Too many streams\""])
    }

    @Test("A peer's stream is offered, carries data at once, and is the client's after connected") func offeredStream()
    {
        var script = ServerScript()
        let server = script.listen(4)
        #expect(script.offer(server) == ["#2", "→ connection r2 of sr1 hash 0"])
        #expect(script.peerData(2, [1]) == ["→ data 2 [01]"])
        #expect(script.receive(data: [[1]], for: 7) == [])
        #expect(script.receive(.connected(.init(stream: ClientStreamID(7), remoteStream: RelayStreamID(2)))) == [])
        #expect(script.receive(data: [[1]], for: 7) == ["write r2 [01]"])
        #expect(script.receive(.connected(.init(stream: ClientStreamID(8), remoteStream: RelayStreamID(2)))) == [])
        #expect(script.session.clientStreams.count == 1)
        #expect(script.node { $0.peerClosed(RelayStreamID(2), error: "x", at: $1) } == ["→ destroy 2 \"x\""])
    }

    @Test("An offered stream that is not taken in time is destroyed") func offerTimesOut() {
        var script = ServerScript()
        let server = script.listen(4)
        _ = script.offer(server)
        _ = script.wait(.seconds(29))
        #expect(
            script.wait(.seconds(1)).suffix(2)
                == ["→ destroy 2 \"RELAY_TIMEOUT: The stream was not taken in time\"", "destroy r2"])
    }

    @Test("An offered stream cannot be taken under a number in use") func connectedReuse() {
        var script = ServerScript()
        let server = script.listen(4)
        _ = script.open(7)
        _ = script.offer(server)
        #expect(
            script.receive(.connected(.init(stream: ClientStreamID(7), remoteStream: RelayStreamID(3)))).last
                == "close link: connected: number 7 is in use")
    }

    @Test("What both sides have ended is left to deliver the rest when the client goes") func finishedAndGone() {
        var script = ServerScript()
        let stream = script.open(9)
        _ = script.receive(data: [[1]], for: 9)
        _ = script.receive(.end(alias: 9))
        _ = script.node { session, _ in session.peerEnded(RelayStreamID(stream)) }
        #expect(script.receive(.connect(.custodial(9))) == ["connect r2 custodial"])
        #expect(script.node { session, _ in session.linkClosed() } == ["release r\(stream)", "destroy r2"])
    }

    @Test("A message of the peer that fits no frame ends the stream") func hugeChunk() {
        var limits = RelayLimits()
        limits.chunkByteCount = 10
        var script = ServerScript(limits: limits)
        let stream = script.open(9)
        #expect(script.peerData(stream, [UInt8](repeating: 0, count: 10)).count == 1)
        #expect(
            script.peerData(stream, [UInt8](repeating: 0, count: 11))
                == [
                    "→ destroy \(stream) \"RELAY_LIMIT: A message of the peer is too large to be relayed\"",
                    "destroy r\(stream)",
                ])
    }

    @Test("A report that makes no sense is ignored") func nonsense() {
        var script = ServerScript()
        _ = script.receive(.connect(.custodial(9)))
        #expect(script.peerData(1, [1]) == [])
        #expect(script.node { session, _ in session.peerEnded(RelayStreamID(1)) } == [])
        #expect(script.node { $0.peerTook(RelayStreamID(77), byteCount: 5, at: $1) } == [])
        #expect(script.node { $0.peerOpened(RelayStreamID(77), handshakeHash: nil, at: $1) } == [])
    }
}

@Suite("Relay session: back-pressure") struct ServerPressureTests {
    private func chunk(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    @Test("A peer that does not take what the client sends stops the link until it does") func slowPeer() {
        var script = ServerScript()
        let stream = script.open(9)
        #expect(script.receive(data: [chunk(262_144)], for: 9) == ["write r\(stream) [262144 bytes]"])
        #expect(script.receive(data: [[1]], for: 9) == ["write r\(stream) [01]", "pause reading"])
        #expect(script.node { $0.peerTook(RelayStreamID(stream), byteCount: 131_072, at: $1) } == [])
        #expect(script.node { $0.peerTook(RelayStreamID(stream), byteCount: 1, at: $1) } == ["resume reading"])
    }

    @Test("While the link is not read its failsafe rests and pings go on") func heartbeatWhilePaused() {
        var script = ServerScript()
        let stream = script.open(9)
        _ = script.receive(data: [chunk(300_000)], for: 9)
        for _ in 0..<20 { #expect(script.wait(.seconds(15)) == ["→ ping"]) }
        _ = script.node { $0.peerTook(RelayStreamID(stream), byteCount: 300_000, at: $1) }
        #expect(script.wait(.seconds(44)) == ["→ ping"])
        #expect(script.wait(.seconds(1)).last == "close link: no sign of life in time")
    }

    @Test("A stalled stream is destroyed when others wait behind it") func stalled() {
        var script = ServerScript()
        let stream = script.open(9)
        let other = script.open(10)
        _ = script.receive(data: [chunk(300_000)], for: 9)
        _ = script.wait(.seconds(15))
        #expect(
            script.wait(.seconds(15)) == [
                "→ ping",
                "→ destroy \(stream) \"RELAY_STALLED: The peer does not take what was sent, and others wait behind it\"",
                "destroy r\(stream)", "resume reading",
            ])
        #expect(script.receive(data: [[1]], for: 10) == ["write r\(other) [01]"])
    }

    @Test("A slow stream that makes progress is not stalled") func slowProgress() {
        var script = ServerScript()
        let stream = script.open(9)
        _ = script.open(10)
        _ = script.receive(data: [chunk(600_000)], for: 9)
        for _ in 0..<20 {
            _ = script.wait(.seconds(10))
            #expect(script.node { $0.peerTook(RelayStreamID(stream), byteCount: 1, at: $1) } == [])
        }
        #expect(script.session.streams.count == 2)
    }

    @Test("A stream that goes frees what it held") func destroyedWhilePaused() {
        var script = ServerScript()
        _ = script.open(9)
        _ = script.receive(data: [chunk(300_000)], for: 9)
        #expect(script.receive(.destroy(.init(.alias(9), error: nil))) == ["destroy r1", "resume reading"])
        #expect(script.session.bufferedByteCount == 0)
    }

    @Test("A client that does not read stops the peers that send to it, and only those") func slowClient() {
        var script = ServerScript()
        let (first, second) = (script.open(1), script.open(2))
        script.session.linkBlocked()
        #expect(script.peerData(first, chunk(1000)) == ["→ data \(first) [1000 bytes]", "pause r\(first)"])
        #expect(script.peerData(first, chunk(1000)) == ["→ data \(first) [1000 bytes]"])
        #expect(script.session.bufferedByteCount == 2000)
        #expect(script.node { session, _ in session.linkDrained() } == ["resume r\(first)"])
        #expect(script.peerData(second, [1]) == ["→ data \(second) [01]"])
        #expect(script.session.bufferedByteCount == 0)
    }

    @Test("When much comes nevertheless, every peer is stopped") func stopEveryone() {
        var script = ServerScript()
        let (first, second) = (script.open(1), script.open(2))
        _ = script.receive(.connect(.custodial(3)))
        script.session.linkBlocked()
        #expect(
            script.peerData(first, chunk(262_145))
                == ["→ data \(first) [262145 bytes]", "pause r\(first)", "pause r\(second)"])
        #expect(script.node { session, _ in session.linkDrained() } == ["resume r\(first)", "resume r\(second)"])
    }

    @Test("A client that asks and does not read the answers is closed") func neverReads() {
        var script = ServerScript()
        script.session.linkBlocked()
        var answers = 0
        while !script.session.isClosed, answers < 100_000 {
            _ = script.receive(.ping)
            answers += 1
        }
        #expect(answers < 10_000)
        #expect(script.session.bufferedByteCount < 300_000)
    }

    @Test("While the process holds too much, everybody's share is small") func processPressure() {
        var script = ServerScript()
        let stream = script.open(9)
        _ = script.receive(data: [chunk(20_000)], for: 9)
        #expect(script.node { $0.memoryPressureChanged(isHigh: true, at: $1) } == ["pause reading"])
        #expect(
            script.node { $0.peerTook(RelayStreamID(stream), byteCount: 15_000, at: $1) } == ["resume reading"])
        #expect(script.node { $0.memoryPressureChanged(isHigh: false, at: $1) } == [])
    }
}
