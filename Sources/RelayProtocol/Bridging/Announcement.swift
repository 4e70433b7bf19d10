internal import CHyperDHT

/// What one signature is good for: one record, for one target, at one node, with the token of that node.
package struct Announcement {
    package enum Kind: Sendable {
        case announce
        case unannounce
    }

    let kind: Kind
    /// The topic, or the hash of a server's key.
    let target: Bytes32
    let nodeID: Bytes32
    let token: Bytes32
    let relayAddresses: IPv4EndpointList

    /// Nil only for addresses that no message can carry.
    func signature(of keyPair: RelayKeyPair) -> Bytes64? {
        withScope { scope, addresses in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Bytes64.count) { signature in
                var addresses = addresses
                let status = keyPair.secretKey.withKeyPair {
                    hdht_announcement_sign(scope, &addresses, $0, signature.baseAddress)
                }
                guard Int(status) == HDHT_OK, let start = signature.baseAddress else { return nil }
                return Bytes64(at: start)
            }
        }
    }

    /// Whether it is the signature that the owner of `publicKey` makes for this.
    func isSigned(by publicKey: Bytes32, with signature: Bytes64) -> Bool {
        withScope { scope, addresses in
            publicKey.withUnsafeBytes { key in
                signature.withUnsafeBytes { signature in
                    var peer = hdht_peer(public_key: key.bytes, relay_addresses: addresses)
                    return Int(hdht_announcement_verify(scope, &peer, signature.bytes)) == HDHT_OK
                }
            }
        }
    }

    private func withScope<Result>(
        _ body: (UnsafePointer<hdht_announcement_scope>, hdht_address_list) -> Result
    ) -> Result {
        target.withUnsafeBytes { target in
            nodeID.withUnsafeBytes { nodeID in
                token.withUnsafeBytes { token in
                    relayAddresses.encoded.withUnsafeBytes { addresses in
                        var scope = hdht_announcement_scope(
                            target: target.bytes, node_id: nodeID.bytes, token: token.bytes, name_space: nameSpace,
                            reserved: 0)
                        let list = hdht_address_list(
                            array: nil, encoded: addresses.asBytes, count: relayAddresses.count)
                        return body(&scope, list)
                    }
                }
            }
        }
    }

    private var nameSpace: UInt32 {
        switch kind {
        case .announce: UInt32(HDHT_NAMESPACE_ANNOUNCE)
        case .unannounce: UInt32(HDHT_NAMESPACE_UNANNOUNCE)
        }
    }
}

extension Bytes32 {
    /// BLAKE2b-256 of the bytes: under this a peer is announced by its key.
    var hash: Bytes32 {
        withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Bytes32.count) { hash in
                _ = hdht_hash(bytes.bytes, bytes.count, hash.baseAddress)
                return Bytes32(at: hash.baseAddress!)  // an allocation that is not empty has an address
            }
        }
    }
}

/// Reads what a `result` carries.
enum Announcers {
    /// Whether the record can be read, and if so, whether it lists the peer.
    static func contain(_ publicKey: Bytes32, in record: MessageBytes) -> Bool? {
        record.withUnsafeBytes { record in
            var announcers = hdht_announcers()
            guard Int(hdht_announcers_decode(record.asBytes, &announcers)) == HDHT_OK else { return nil }
            var peer = hdht_peer()
            while hdht_peer_list_next(&announcers.peers, &peer) == 1 {
                if let key = peer.public_key, Bytes32(at: key) == publicKey { return true }
            }
            return false
        }
    }
}
