/// Noise handshakes whose keys are the client's. See ``NoiseExchange`` for who says what when.
extension RelayServerSession {
    // MARK: From the client

    mutating func receivedNoiseReply(
        _ reply: RelayMessage.NoiseReply, at now: RelayInstant, _ actions: inout Actions<Action>
    ) {
        // Unknown is what timed out, or failed, while the reply was under way.
        guard let isAccepted = handshakes[reply.handshake]?.accepts(reply) else { return }
        guard isAccepted, let exchange = handshakes[reply.handshake] else {
            return fail(reply.handshake, because: .handshakeFailed, &actions)
        }
        // The rest is for the node to do, and it knows how long that may take. But a stream that never comes of a peer's
        // complete handshake would be reported by nobody.
        switch exchange.party {
        case .initiator: deadlines.remove(.noise(reply.handshake))
        case .responder: deadlines.set(.noise(reply.handshake), to: now.advanced(by: limits.confirmationTimeout))
        }
        pass(reply, of: exchange, &actions)
    }

    private func pass(
        _ reply: RelayMessage.NoiseReply, of exchange: NoiseExchange, _ actions: inout Actions<Action>
    ) {
        switch (exchange.party, reply.step) {
        case (.initiator(let stream), .initiatorFirst):
            actions.append(.sendHandshake(stream, message: reply.payload))
        case (.initiator(let stream), .initiatorLast(let secrets)):
            actions.append(.completeHandshake(stream, payload: reply.payload, secrets))
        case (.responder, .responderFirst(let remotePublicKey)):
            actions.append(
                .continueHandshake(reply.handshake, payload: reply.payload, remotePublicKey: remotePublicKey))
        case (.responder, .responderLast(let secrets)):
            actions.append(.finishHandshake(reply.handshake, message: reply.payload, secrets))
        case (.initiator, .responderFirst), (.initiator, .responderLast), (.responder, .initiatorFirst),
            (.responder, .initiatorLast):
            break  // not accepted
        }
    }

    // MARK: From the node

    /// The first Noise message of a connect is needed, for all its attempts. Asked once; more often does nothing.
    ///
    /// - Parameter payload: What the node says about itself.
    package mutating func handshakeNeeded(
        _ stream: RelayStreamID, payload: MessageBytes, at now: RelayInstant
    ) -> Actions<Action> {
        var actions = Actions<Action>()
        guard let found = streams[stream], !found.isCustodial, found.handshake == nil, found.machine.isConnecting,
            let clientStream = found.clientStream
        else { return actions }
        guard handshakes.count < limits.handshakes else {
            failStream(stream, because: .tooManyHandshakes, &actions)
            return actions
        }
        let handshake: HandshakeID = newIdentifier()
        handshakes[handshake] = NoiseExchange(.initiator(stream))
        streams[stream]?.handshake = handshake
        deadlines.set(.noise(handshake), to: now.advanced(by: limits.answerTimeout))
        let noiseSend = RelayMessage.NoiseSend(
            handshake: handshake, role: .initiator(clientStream), payload: payload)
        send(.noiseSend(noiseSend), &actions)
        return actions
    }

    /// A Noise message has come from the peer that is being connected to. The first one is for the client; attempts that come
    /// second are dropped, because a client of the reference does not survive another.
    ///
    /// - Returns: Whether it was taken, and what to do.
    package mutating func handshakeReceived(
        _ stream: RelayStreamID, message: MessageBytes, at now: RelayInstant
    ) -> (isTaken: Bool, actions: Actions<Action>) {
        var actions = Actions<Action>()
        guard let handshake = streams[stream]?.handshake,
            handshakes[handshake]?.askForLastReply(byteCount: message.count) == true
        else { return (false, actions) }
        deadlines.set(.noise(handshake), to: now.advanced(by: limits.answerTimeout))
        let receive = RelayMessage.NoiseReceive(handshake: handshake, role: .initiator, message: message)
        send(.noiseReceive(receive), &actions)
        return (true, actions)
    }

    /// The node's answer to a peer's handshake: the client has to make a Noise message of it.
    package mutating func handshakeReply(
        _ handshake: HandshakeID, payload: MessageBytes, at now: RelayInstant
    ) -> Actions<Action> {
        var actions = Actions<Action>()
        guard handshakes[handshake]?.askForLastReply(byteCount: payload.count) == true else { return actions }
        deadlines.set(.noise(handshake), to: now.advanced(by: limits.answerTimeout))
        let noiseSend = RelayMessage.NoiseSend(handshake: handshake, role: .responder, payload: payload)
        send(.noiseSend(noiseSend), &actions)
        return actions
    }

    /// The node has given up on a peer's handshake.
    package mutating func handshakeAbandoned(_ handshake: HandshakeID) {
        guard case .responder? = handshakes[handshake]?.party else { return }
        drop(handshake)
    }

    // MARK: Together

    /// The handshake comes to nothing, and so does the connect it belongs to.
    mutating func fail(_ handshake: HandshakeID, because failure: StreamFailure, _ actions: inout Actions<Action>) {
        switch handshakes[handshake]?.party {
        case .initiator(let stream): failStream(stream, because: failure, &actions)
        case .responder, nil: forget(handshake, &actions)
        }
    }

    /// Answers the node if it waits for one.
    mutating func forget(_ handshake: HandshakeID, _ actions: inout Actions<Action>) {
        guard case .responder? = handshakes[handshake]?.party else { return }
        actions.append(.denyHandshake(handshake))
        drop(handshake)
    }

    mutating func drop(_ handshake: HandshakeID) {
        handshakes[handshake] = nil
        deadlines.remove(.noise(handshake))
    }
}
