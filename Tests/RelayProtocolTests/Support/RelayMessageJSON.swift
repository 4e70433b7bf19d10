import Foundation
import Testing

@testable import RelayProtocol

/// Typed messages from the fields of a vector, and back.

extension RelayMessage {
    init(type: Int, json: Vector?) throws {
        let json = json ?? Vector([:])
        switch type {
        case 0: self = .handshake(try json.credentials())
        case 1: self = .ping
        case 2: self = .pong
        case 3:
            self = .connect(
                Connect(
                    stream: try json.id("alias"), credentials: try json.credentials(),
                    remotePublicKey: try json.bytes32("remotePublicKey")))
        case 4:
            self = .connection(
                Connection(
                    stream: try json.id("alias"), server: try json.id("serverAlias"),
                    remotePublicKey: try json.bytes32("remotePublicKey"), proof: try json.proof()))
        case 5: self = .connected(Connected(stream: try json.id("alias"), remoteStream: try json.id("remoteAlias")))
        case 6:
            self = .incoming(
                Incoming(
                    request: try json.id("id"), server: try json.id("serverAlias"),
                    remotePublicKey: try json.bytes32("remotePublicKey"), payload: try json.string("payload")))
        case 7: self = .deny(try json.id("id"))
        case 8: self = .accept(try json.id("id"))
        case 9:
            let stream: Destroy.Stream =
                json.flag("paired") ? .alias(try json.number("alias")) : .remoteAlias(try json.number("remoteAlias"))
            self = .destroy(Destroy(stream, error: json.text("error").flatMap { $0.isEmpty ? nil : $0 }))
        case 10: self = .listen(Listen(server: try json.id("alias"), credentials: try json.credentials()))
        case 11:
            self = .listening(
                Listening(
                    server: try json.id("alias"), remoteServer: try json.id("remoteAlias"), address: try json.endpoint()
                ))
        case 12: self = .close(try json.id("alias"))
        case 13: self = .closed(try json.id("alias"))
        case 14:
            self = .open(
                Open(stream: try json.id("alias"), remoteStream: try json.id("remoteAlias"), proof: try json.proof()))
        case 15: self = .end(alias: try json.number("alias"))
        case 16:
            let chunks = try #require(json.texts("data")).map(bytes(fromHex:))
            self = .data(alias: try json.number("alias"), DataChunks(chunks))
        case 17: self = .result(try json.id("id"), try json.string("data"))
        case 18: self = .finished(try json.id("id"))
        case 19: self = .lookup(try json.id("id"), topic: try json.bytes32("topic"))
        case 20: self = .announce(try json.announce())
        case 21: self = .unannounce(try json.announce())
        case 22: self = .signAnnounce(try json.signatureRequest())
        case 23: self = .signUnannounce(try json.signatureRequest())
        case 24: self = .signature(try json.id("id"), try json.string("signature"))
        case 25:
            self = .noiseSend(
                NoiseSend(
                    handshake: try json.id("id"),
                    role: json.flag("isInitiator") ? .initiator(try json.id("remoteStreamAlias")) : .responder,
                    payload: try json.string("payload")))
        case 26:
            self = .noiseReceive(
                NoiseReceive(
                    handshake: try json.id("id"),
                    role: json.flag("isInitiator") ? .initiator : .responder(try json.id("serverAlias")),
                    message: try json.string("payload")))
        case 27:
            self = .noiseReply(
                NoiseReply(handshake: try json.id("id"), step: try json.step(), payload: try json.string("payload")))
        default: throw RelayMessageError.unknownType(UInt32(type))
        }
    }

    /// The fields as a vector has them, those that are null left out; nil for messages without any.
    var json: [String: AnyHashable] {
        switch self {
        case .ping, .pong: [:]
        case .handshake(let credentials): credentials.json
        case .connect(let connect):
            connect.credentials.json.with(
                ["alias": connect.stream.json, "remotePublicKey": hex(connect.remotePublicKey.array)])
        case .connection(let connection):
            connection.proof.json.with([
                "alias": connection.stream.json, "serverAlias": connection.server.json,
                "remotePublicKey": hex(connection.remotePublicKey.array),
            ])
        case .connected(let connected):
            ["alias": connected.stream.json, "remoteAlias": connected.remoteStream.json]
        case .incoming(let incoming):
            [
                "id": incoming.request.json, "serverAlias": incoming.server.json,
                "remotePublicKey": hex(incoming.remotePublicKey.array), "payload": hex(incoming.payload.array),
            ]
        case .deny(let request), .accept(let request): ["id": request.json]
        case .destroy(let destroy): destroy.json
        case .listen(let listen): listen.credentials.json.with(["alias": listen.server.json])
        case .listening(let listening):
            [
                "alias": listening.server.json, "remoteAlias": listening.remoteServer.json,
                "host": listening.address.host, "port": NSNumber(value: listening.address.port), "family": NSNumber(4),
            ]
        case .close(let server): ["alias": server.json]
        case .closed(let server): ["alias": server.json]
        case .open(let open):
            open.proof.json.with(["alias": open.stream.json, "remoteAlias": open.remoteStream.json])
        case .end(let alias): ["alias": NSNumber(value: alias)]
        case .data(let alias, let chunks): ["alias": NSNumber(value: alias), "data": chunks.arrays.map { hex($0) }]
        case .result(let query, let data): ["id": query.json, "data": hex(data.array)]
        case .finished(let query): ["id": query.json]
        case .lookup(let query, let topic): ["id": query.json, "topic": hex(topic.array)]
        case .announce(let announce), .unannounce(let announce):
            announce.credentials.json.with(["id": announce.query.json, "topic": hex(announce.topic.array)])
        case .signAnnounce(let sign), .signUnannounce(let sign): sign.json
        case .signature(let request, let signature): ["id": request.json, "signature": hex(signature.array)]
        case .noiseSend(let send): send.json
        case .noiseReceive(let receive): receive.json
        case .noiseReply(let reply): reply.json
        }
    }
}

extension Vector {
    /// What ``RelayMessage/json`` is compared with.
    var withoutNulls: [String: AnyHashable] {
        fields.compactMapValues { value in
            switch value {
            case is NSNull: nil
            case let objects as [[String: Any]]: objects.map { NSDictionary(dictionary: $0) }
            case let texts as [String]: texts
            default: value as? AnyHashable
            }
        }
    }

    fileprivate func number(_ key: String) throws -> UInt32 { UInt32(try #require(integer(key))) }

    fileprivate func id<Kind>(_ key: String) throws -> Identifier<Kind> { Identifier(try number(key)) }

    fileprivate func bytes32(_ key: String) throws -> Bytes32 {
        let bytes = try #require(try bytes(key))
        return try #require(Bytes32(bytes))
    }

    /// The reference reads an empty node id as null.
    fileprivate func string(_ key: String) throws -> MessageBytes { MessageBytes(try bytes(key) ?? []) }

    fileprivate func credentials() throws -> Credentials {
        let publicKey = try bytes32("publicKey")
        guard flag("custodial"), let secretKey = try bytes("secretKey") else { return .nonCustodial(publicKey) }
        let key = secretKey.withUnsafeBytes { SecretKey(at: $0.baseAddress!) }  // 64 bytes
        return .custodial(RelayKeyPair(publicKey: publicKey, secretKey: key))
    }

    fileprivate func proof() throws -> StreamProof {
        guard flag("custodial") else { return .handshake(try id("handshakeId")) }
        let hash = try #require(try bytes("handshakeHash"))
        return .handshakeHash(try #require(Bytes64(hash)))
    }

    fileprivate func endpoint() throws -> IPv4Endpoint {
        let octets = try #require(text("host")).split(separator: ".").map { UInt8($0) ?? 0 }
        return IPv4Endpoint(octets[0], octets[1], octets[2], octets[3], port: UInt16(integer("port") ?? 0))
    }

    fileprivate func announce() throws -> RelayMessage.Announce {
        RelayMessage.Announce(query: try id("id"), topic: try bytes32("topic"), credentials: try credentials())
    }

    fileprivate func signatureRequest() throws -> RelayMessage.SignatureRequest {
        RelayMessage.SignatureRequest(
            request: try id("id"), signee: try number("signee"), token: try bytes32("token"),
            nodeID: try string("peerId"),
            relayAddresses: IPv4EndpointList(try (objects("relayAddresses") ?? []).map { try $0.endpoint() }))
    }

    fileprivate func step() throws -> RelayMessage.NoiseReply.Step {
        switch (flag("isInitiator"), flag("complete")) {
        case (true, false): .initiatorFirst
        case (false, false): .responderFirst(remotePublicKey: try bytes32("remotePublicKey"))
        case (true, true): .initiatorLast(try secrets())
        case (false, true): .responderLast(try secrets())
        }
    }

    private func secrets() throws -> HandshakeSecrets {
        HandshakeSecrets(remoteID: try bytes32("remoteId"), holepunchSecret: try bytes32("holepunchSecret"))
    }
}

extension [String: AnyHashable] {
    fileprivate func with(_ more: Self) -> Self { merging(more) { $1 } }
}

extension Identifier {
    fileprivate var json: NSNumber { NSNumber(value: number) }
}

extension IPv4Endpoint {
    fileprivate var host: String { String(description.prefix { $0 != ":" }) }
}

extension Credentials {
    fileprivate var json: [String: AnyHashable] {
        let json: [String: AnyHashable] = [
            "custodial": NSNumber(value: isCustodial), "publicKey": hex(publicKey.array),
        ]
        guard case .custodial(let keyPair) = self else { return json }
        return json.with(["secretKey": keyPair.secretKey.withUnsafeBytes { hex($0) }])
    }
}

extension StreamProof {
    fileprivate var json: [String: AnyHashable] {
        switch self {
        case .handshakeHash(let hash): ["custodial": NSNumber(value: true), "handshakeHash": hex(hash.array)]
        case .handshake(let handshake): ["custodial": NSNumber(value: false), "handshakeId": handshake.json]
        }
    }
}

extension RelayMessage.Destroy {
    fileprivate var json: [String: AnyHashable] {
        var json: [String: AnyHashable] =
            switch stream {
            case .alias(let alias): ["paired": NSNumber(value: true), "alias": NSNumber(value: alias)]
            case .remoteAlias(let alias): ["paired": NSNumber(value: false), "remoteAlias": NSNumber(value: alias)]
            }
        json["error"] = error
        return json
    }
}

extension RelayMessage.SignatureRequest {
    fileprivate var json: [String: AnyHashable] {
        var json: [String: AnyHashable] = [
            "id": request.json, "signee": NSNumber(value: signee), "token": hex(token.array),
            "relayAddresses": relayAddresses.array.map {
                NSDictionary(dictionary: ["host": $0.host, "family": 4, "port": Int($0.port)])
            },
        ]
        if !nodeID.isEmpty { json["peerId"] = hex(nodeID.array) }
        return json
    }
}

extension RelayMessage.NoiseSend {
    fileprivate var json: [String: AnyHashable] {
        let json: [String: AnyHashable] = ["id": handshake.json, "payload": hex(payload.array)]
        switch role {
        case .initiator(let stream):
            return json.with(["isInitiator": NSNumber(value: true), "remoteStreamAlias": stream.json])
        case .responder: return json.with(["isInitiator": NSNumber(value: false)])
        }
    }
}

extension RelayMessage.NoiseReceive {
    fileprivate var json: [String: AnyHashable] {
        let json: [String: AnyHashable] = ["id": handshake.json, "payload": hex(message.array)]
        switch role {
        case .initiator: return json.with(["isInitiator": NSNumber(value: true)])
        case .responder(let server):
            return json.with(["isInitiator": NSNumber(value: false), "serverAlias": server.json])
        }
    }
}

extension RelayMessage.NoiseReply {
    fileprivate var json: [String: AnyHashable] {
        let json: [String: AnyHashable] = ["id": handshake.json, "payload": hex(payload.array)]
        switch step {
        case .initiatorFirst: return json.with(flags(initiator: true, complete: false))
        case .responderFirst(let key):
            return json.with(flags(initiator: false, complete: false)).with(["remotePublicKey": hex(key.array)])
        case .initiatorLast(let secrets): return json.with(flags(initiator: true, complete: true)).with(secrets.json)
        case .responderLast(let secrets): return json.with(flags(initiator: false, complete: true)).with(secrets.json)
        }
    }

    private func flags(initiator: Bool, complete: Bool) -> [String: AnyHashable] {
        ["isInitiator": NSNumber(value: initiator), "complete": NSNumber(value: complete)]
    }
}

extension HandshakeSecrets {
    fileprivate var json: [String: AnyHashable] {
        ["remoteId": hex(remoteID.array), "holepunchSecret": hex(holepunchSecret.array)]
    }
}
