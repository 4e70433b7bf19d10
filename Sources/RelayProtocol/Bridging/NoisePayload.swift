internal import CHyperDHT

/// What a peer says about itself inside its Noise handshake: what a firewall decides upon beside the peer's key.
package struct NoisePayload: Equatable, Sendable {
    /// 1. When it is another, the peer speaks a protocol that is not ours, and nothing else was read.
    package let version: UInt64
    /// 0, or why the peer cannot go on.
    package let error: UInt64
    /// How the peer's NAT gives out ports: 0 unknown, 1 open, 2 consistent, 3 random.
    package let firewall: UInt64
    /// Where the peer believes it can be reached.
    package let addresses4: [IPv4Endpoint]

    /// Reads a payload; nil when it is none.
    package init?(_ bytes: MessageBytes) {
        var payload = hdht_noise_payload()
        let addresses: [IPv4Endpoint]? = bytes.withUnsafeBytes { bytes in
            guard Int(hdht_noise_payload_decode(bytes.asBytes, &payload)) == HDHT_OK else { return nil }
            let encoded = UnsafeRawBufferPointer(payload.addresses4.encoded)
            return IPv4EndpointList(encoded: MessageBytes(lending: encoded)).array
        }
        guard let addresses else { return nil }
        version = payload.version
        error = payload.error
        firewall = payload.nat
        addresses4 = addresses
    }
}

extension MessageBytes {
    /// Whether these are a whole Noise payload.
    var isNoisePayload: Bool {
        withUnsafeBytes { bytes in
            var payload = hdht_noise_payload()
            return Int(hdht_noise_payload_decode(bytes.asBytes, &payload)) == HDHT_OK
        }
    }
}
