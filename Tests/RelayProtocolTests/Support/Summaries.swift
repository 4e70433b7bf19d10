@testable import RelayProtocol

/// Actions and messages as short text, so that a test reads as a script and a failure says what differs.

extension RelayMessage {
    var summary: String {
        switch self {
        case .handshake(let credentials): "handshake \(credentials.summary)"
        case .ping: "ping"
        case .pong: "pong"
        case .connect(let connect): "connect c\(connect.stream) \(connect.credentials.summary)"
        case .connection(let connection):
            "connection r\(connection.stream) of sr\(connection.server) \(connection.proof.summary)"
        case .connected(let connected): "connected c\(connected.stream) r\(connected.remoteStream)"
        case .incoming(let incoming):
            "incoming f\(incoming.request) of sr\(incoming.server) \(hex(incoming.payload.array))"
        case .deny(let request): "deny f\(request)"
        case .accept(let request): "accept f\(request)"
        case .destroy(let destroy): "destroy \(destroy.stream.summary)\(destroy.error.map { " \"\($0)\"" } ?? "")"
        case .listen(let listen): "listen sc\(listen.server) \(listen.credentials.summary)"
        case .listening(let listening):
            "listening sr\(listening.server) sc\(listening.remoteServer) \(listening.address)"
        case .close(let server): "close sc\(server)"
        case .closed(let server): "closed sr\(server)"
        case .open(let open): "open r\(open.stream) c\(open.remoteStream) \(open.proof.summary)"
        case .end(let alias): "end \(alias)"
        case .data(let alias, let chunks): "data \(alias) \(chunks.summary)"
        case .result(let query, let record): "result q\(query) \(record.summary)"
        case .finished(let query): "finished q\(query)"
        case .lookup(let query, _): "lookup q\(query)"
        case .announce(let announce): "announce q\(announce.query) \(announce.credentials.summary)"
        case .unannounce(let announce): "unannounce q\(announce.query) \(announce.credentials.summary)"
        case .signAnnounce(let sign): "signAnnounce s\(sign.request) by \(sign.signee)"
        case .signUnannounce(let sign): "signUnannounce s\(sign.request) by \(sign.signee)"
        case .signature(let request, let signature): "signature s\(request) \(signature.count) bytes"
        case .noiseSend(let send): "noiseSend n\(send.handshake) \(send.role.summary) \(send.payload.summary)"
        case .noiseReceive(let receive):
            "noiseReceive n\(receive.handshake) \(receive.role.summary) \(receive.message.summary)"
        case .noiseReply(let reply): "noiseReply n\(reply.handshake) \(reply.step.summary) \(reply.payload.summary)"
        }
    }
}

extension Credentials {
    var summary: String { isCustodial ? "custodial" : "own key" }
}

extension StreamProof {
    var summary: String {
        switch self {
        case .handshakeHash(let hash): "hash \(hash.array[0])"
        case .handshake(let handshake): "n\(handshake)"
        }
    }
}

extension RelayMessage.Destroy.Stream {
    var summary: String {
        switch self {
        case .alias(let alias): "\(alias)"
        case .remoteAlias(let alias): "remote \(alias)"
        }
    }
}

extension RelayMessage.NoiseSend.Role {
    var summary: String {
        switch self {
        case .initiator(let stream): "to c\(stream)"
        case .responder: "as responder"
        }
    }
}

extension RelayMessage.NoiseReceive.Role {
    var summary: String {
        switch self {
        case .initiator: "as initiator"
        case .responder(let server): "at sr\(server)"
        }
    }
}

extension RelayMessage.NoiseReply.Step {
    var summary: String {
        switch self {
        case .initiatorFirst: "initiator first"
        case .initiatorLast: "initiator last"
        case .responderFirst: "responder first"
        case .responderLast: "responder last"
        }
    }
}

extension DataChunks {
    var summary: String {
        "[" + arrays.map { $0.count > 16 ? "\($0.count) bytes" : hex($0) }.joined(separator: " ") + "]"
    }
}

extension MessageBytes {
    var summary: String { isEmpty ? "empty" : count > 16 ? "\(count) bytes" : hex(array) }
}

extension RelayServerSession.Action {
    var summary: String {
        switch self {
        case .send(let message): "→ " + message.summary
        case .pauseReading: "pause reading"
        case .resumeReading: "resume reading"
        case .closeLink(let reason): "close link: \(reason)"
        case .connect(let stream, let credentials, _): "connect r\(stream) \(credentials.summary)"
        case .writeToPeer(let stream, let chunks): "write r\(stream) \(chunks.summary)"
        case .endPeer(let stream): "end r\(stream)"
        case .destroyPeer(let stream, let error): "destroy r\(stream)\(error.map { " \"\($0)\"" } ?? "")"
        case .releasePeer(let stream): "release r\(stream)"
        case .pausePeer(let stream): "pause r\(stream)"
        case .resumePeer(let stream): "resume r\(stream)"
        case .sendHandshake(let stream, let message): "handshake r\(stream) \(message.summary)"
        case .completeHandshake(let stream, let payload, _): "complete r\(stream) \(payload.summary)"
        case .listen(let server, let credentials): "listen sr\(server) \(credentials.summary)"
        case .closeServer(let server, let unannounce): "close sr\(server)\(unannounce ? "" : " quietly")"
        case .answerPeer(let request, let isAllowed): "\(isAllowed ? "allow" : "refuse") f\(request)"
        case .continueHandshake(let handshake, let payload, _): "continue n\(handshake) \(payload.summary)"
        case .finishHandshake(let handshake, let message, _): "finish n\(handshake) \(message.summary)"
        case .denyHandshake(let handshake): "deny n\(handshake)"
        case .lookup(let query, _): "lookup q\(query)"
        case .announce(let query, _, let credentials): "announce q\(query) \(credentials.summary)"
        case .unannounce(let query, _, let credentials): "unannounce q\(query) \(credentials.summary)"
        case .cancelQuery(let query): "cancel q\(query)"
        case .useSignature(let request, _): "use s\(request)"
        case .skipSignature(let request): "skip s\(request)"
        }
    }
}
