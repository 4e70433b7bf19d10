/// Noise handshakes with the user's own key. The relay carries the messages; what they say in clear is for its node.
extension RelayClientSession {
    struct Handshake {
        enum Party: Equatable {
            case stream(ClientStreamID)
            case server(ClientServerID)
        }

        enum State {
            /// Initiator: the first message is on its way.
            case awaitingMessage
            /// Responder: the user decides. What the relay's node is to be told if the peer is let in.
            case undecided(payload: MessageBytes, remotePublicKey: Bytes32)
            /// Responder: let in; the node's answer is to be put into a message.
            case awaitingPayload
            case complete(HandshakeResult)
        }

        let party: Party
        let noise: NoiseHandshake
        var state: State

        var result: HandshakeResult? {
            if case .complete(let result) = state { result } else { nil }
        }

        var isUndecided: Bool {
            if case .undecided = state { true } else { false }
        }
    }

    // MARK: From the relay

    mutating func receivedNoiseSend(
        _ send: RelayMessage.NoiseSend, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        switch send.role {
        case .initiator(let stream): beginHandshake(send, for: stream, at: now, &actions)
        case .responder: finishHandshake(send, at: now, &actions)
        }
    }

    /// One handshake for each stream: relays of the reference may try several, and get one message.
    private mutating func beginHandshake(
        _ send: RelayMessage.NoiseSend, for stream: ClientStreamID, at now: RelayInstant,
        _ actions: inout Actions<Action>
    ) {
        guard let found = streams[stream], found.machine.isConnecting, let keyPair = found.keyPair,
            found.handshake == nil, handshakes[send.handshake] == nil
        else { return }
        let created = NoiseHandshake.initiator(keyPair, to: found.remotePublicKey, ephemeralSeed: makeSeed?())
        guard let noise = created else { return fail(stream, .outOfResources, at: now, &actions) }
        guard let message = noise.write(send.payload) else {
            return fail(stream, .invalidRemoteKey, at: now, &actions)
        }
        handshakes[send.handshake] = Handshake(party: .stream(stream), noise: noise, state: .awaitingMessage)
        streams[stream]?.handshake = send.handshake
        reply(send.handshake, .initiatorFirst, MessageBytes(message), &actions)
    }

    /// The node's answer to a peer that was let in.
    private mutating func finishHandshake(
        _ send: RelayMessage.NoiseSend, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        guard let found = handshakes[send.handshake], case .awaitingPayload = found.state else { return }
        guard let message = found.noise.write(send.payload), let result = found.noise.result else {
            return drop(send.handshake)
        }
        handshakes[send.handshake]?.state = .complete(result)
        deadlines.set(.handshake(send.handshake), to: now.advanced(by: limits.confirmationTimeout))
        reply(send.handshake, .responderLast(result.secrets), MessageBytes(message), &actions)
    }

    mutating func receivedNoiseReceive(
        _ receive: RelayMessage.NoiseReceive, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        switch receive.role {
        case .initiator: completeHandshake(receive, at: now, &actions)
        case .responder(let server): openHandshake(receive, at: server, at: now, &actions)
        }
    }

    /// The peer's message. A second one is ignored: it was replied to once.
    private mutating func completeHandshake(
        _ receive: RelayMessage.NoiseReceive, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        let handshake = receive.handshake
        guard let found = handshakes[handshake], case .awaitingMessage = found.state,
            case .stream(let stream) = found.party
        else { return }
        let payload = found.noise.read(receive.message).map { MessageBytes($0) }
        guard let payload, payload.isNoisePayload, let result = found.noise.result else {
            reply(handshake, .initiatorFirst, .empty, &actions)
            return fail(stream, .handshakeFailed, at: now, &actions)
        }
        handshakes[handshake]?.state = .complete(result)
        reply(handshake, .initiatorLast(result.secrets), payload, &actions)
    }

    /// A stranger's message: whatever it is, only that stranger is turned away.
    private mutating func openHandshake(
        _ receive: RelayMessage.NoiseReceive, at relayServer: RelayServerID, at now: RelayInstant,
        _ actions: inout Actions<Action>
    ) {
        let handshake = receive.handshake
        guard handshakes[handshake] == nil else { return }
        guard let server = relayServers[relayServer], let found = servers[server], !found.isCustodial,
            found.takesPeers, handshakes.count < limits.handshakes, unansweredCount < limits.unansweredRequests,
            let noise = NoiseHandshake.responder(found.keyPair, ephemeralSeed: makeSeed?()),
            let payload = noise.read(receive.message).map({ MessageBytes($0) }), payload.isNoisePayload,
            let remotePublicKey = noise.remotePublicKey
        else {
            return reply(handshake, .responderFirst(remotePublicKey: Bytes32()), .empty, &actions)
        }
        handshakes[handshake] = Handshake(
            party: .server(server), noise: noise,
            state: .undecided(payload: payload, remotePublicKey: remotePublicKey))
        deadlines.set(.handshake(handshake), to: now.advanced(by: limits.answerTimeout))
        confirmListening(server, &actions)
        actions.append(
            .incoming(.handshake(handshake), server, remotePublicKey: remotePublicKey, payload: payload))
    }

    // MARK: Together

    /// The user has decided, or did not in time.
    mutating func answer(
        _ handshake: HandshakeID, isAllowed: Bool, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        guard let found = handshakes[handshake], case .undecided(let payload, let remotePublicKey) = found.state else {
            return
        }
        if isAllowed {
            handshakes[handshake]?.state = .awaitingPayload
            deadlines.set(.handshake(handshake), to: now.advanced(by: limits.confirmationTimeout))
        } else {
            drop(handshake)
        }
        reply(handshake, .responderFirst(remotePublicKey: remotePublicKey), isAllowed ? payload : .empty, &actions)
    }

    /// A peer was not decided on, or its stream did not come.
    mutating func timedOut(_ handshake: HandshakeID, at now: RelayInstant, _ actions: inout Actions<Action>) {
        if handshakes[handshake]?.isUndecided == true {
            answer(handshake, isAllowed: false, at: now, &actions)
        } else {
            drop(handshake)
        }
    }

    /// What a stream that has come was agreed on with.
    mutating func takeHandshake(
        _ handshake: HandshakeID, of server: ClientServerID, from remotePublicKey: Bytes32
    ) -> HandshakeResult? {
        guard let found = handshakes[handshake], found.party == .server(server), let result = found.result,
            result.remotePublicKey == remotePublicKey
        else { return nil }
        drop(handshake)
        return result
    }

    private mutating func reply(
        _ handshake: HandshakeID, _ step: RelayMessage.NoiseReply.Step, _ payload: MessageBytes,
        _ actions: inout Actions<Action>
    ) {
        send(.noiseReply(RelayMessage.NoiseReply(handshake: handshake, step: step, payload: payload)), &actions)
    }

    private mutating func drop(_ handshake: HandshakeID) {
        handshakes[handshake] = nil
        deadlines.remove(.handshake(handshake))
    }
}
