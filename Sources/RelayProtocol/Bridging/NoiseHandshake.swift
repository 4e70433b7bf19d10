internal import CHyperDHT

/// A Noise IK handshake between peers of the DHT, one side of it. Its keys are wiped when it ends.
///
/// A reference to memory of the C library, used by one state machine at a time.
final class NoiseHandshake {
    /// Which side of it this is.
    let isInitiator: Bool
    private let handle: OpaquePointer

    private init(handle: OpaquePointer, isInitiator: Bool) {
        self.handle = handle
        self.isInitiator = isInitiator
    }

    /// The side that connects. Nil when there is no memory or randomness.
    ///
    /// - Parameter ephemeralSeed: 32 bytes never used before, or nil for the operating system's.
    static func initiator(_ keyPair: RelayKeyPair, to remotePublicKey: Bytes32, ephemeralSeed: Bytes32?)
        -> NoiseHandshake?
    {
        remotePublicKey.withUnsafeBytes { create(keyPair, remotePublicKey: $0.bytes, ephemeralSeed: ephemeralSeed) }
    }

    /// The side that is connected to. Nil when there is no memory or randomness.
    static func responder(_ keyPair: RelayKeyPair, ephemeralSeed: Bytes32?) -> NoiseHandshake? {
        create(keyPair, remotePublicKey: nil, ephemeralSeed: ephemeralSeed)
    }

    deinit {
        hdht_noise_destroy(handle)
    }

    private static func create(
        _ keyPair: RelayKeyPair, remotePublicKey: UnsafePointer<UInt8>?, ephemeralSeed: Bytes32?
    ) -> NoiseHandshake? {
        var options = hdht_noise_options()
        hdht_noise_options_init(&options, MemoryLayout<hdht_noise_options>.size)
        options.pattern = UInt32(HDHT_NOISE_IK)
        options.remote_public_key = remotePublicKey
        options.is_initiator = remotePublicKey == nil ? 0 : 1
        var handle: OpaquePointer?
        let seed = ephemeralSeed ?? Bytes32()
        let status = Bytes32.peerHandshake.withUnsafeBytes { prologue in
            seed.withUnsafeBytes { seed in
                keyPair.secretKey.withKeyPair { keys in
                    options.prologue = prologue.bytes
                    options.prologue_size = prologue.count
                    options.ephemeral_seed = ephemeralSeed == nil ? nil : seed.bytes
                    options.key_pair = keys
                    return hdht_noise_create(&options, &handle)
                }
            }
        }
        guard Int(status) == HDHT_OK, let handle else { return nil }
        return NoiseHandshake(handle: handle, isInitiator: remotePublicKey != nil)
    }

    /// The peer's public key as soon as it is known.
    var remotePublicKey: Bytes32? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Bytes32.count) { key in
            guard Int(hdht_noise_remote_public_key(handle, key.baseAddress)) == HDHT_OK else { return nil }
            return key.baseAddress.map { Bytes32(at: $0) }
        }
    }

    /// Writes this side's message around a payload. Nil when it is not this side's turn, or the peer's key is unusable.
    func write(_ payload: MessageBytes) -> [UInt8]? {
        payload.withUnsafeBytes { payload in
            transform(payload, capacity: payload.count + Int(HDHT_NOISE_OVERHEAD_MAX), hdht_noise_write)
        }
    }

    /// Reads the peer's message and gives its payload. Nil, and the handshake is as it was, when the message is not genuine.
    func read(_ message: MessageBytes) -> [UInt8]? {
        message.withUnsafeBytes { transform($0, capacity: $0.count, hdht_noise_read) }
    }

    /// What was agreed on, once the handshake is complete.
    var result: HandshakeResult? {
        HandshakeResult(of: handle, isInitiator: isInitiator)
    }

    private typealias Transform = (
        OpaquePointer?, UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<Int>?
    ) -> Int32

    private func transform(_ input: UnsafeRawBufferPointer, capacity: Int, _ transform: Transform) -> [UInt8]? {
        var status = Int32(HDHT_OK)
        let output = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            var size = 0
            status = transform(handle, input.bytes, input.count, output.baseAddress, capacity, &size)
            count = Int(status) == HDHT_OK ? size : 0
        }
        return Int(status) == HDHT_OK ? output : nil
    }
}

/// What a complete handshake agrees on: a secret stream starts with it. Its keys are wiped when the last reference goes.
///
/// `@unchecked Sendable`: the memory is written only in `init` and `deinit`.
package final class HandshakeResult: @unchecked Sendable {
    /// Which side of the handshake this was.
    package let isInitiator: Bool
    private let result: UnsafeMutablePointer<hdht_noise_result>

    fileprivate init?(of noise: OpaquePointer, isInitiator: Bool) {
        result = .allocate(capacity: 1)
        result.initialize(to: hdht_noise_result())
        self.isInitiator = isInitiator
        guard Int(hdht_noise_get_result(noise, result)) == HDHT_OK else { return nil }
    }

    deinit {
        hdht_noise_result_wipe(result)
        result.deallocate()
    }

    /// 64 bytes that both sides have and nobody else.
    package var handshakeHash: Bytes64 {
        Bytes64(at: UnsafeRawPointer(result) + Self.hashOffset)
    }

    /// Proven to be the peer's.
    package var remotePublicKey: Bytes32 {
        Bytes32(at: UnsafeRawPointer(result) + Self.hashOffset + Bytes64.count)
    }

    /// Lends the `hdht_noise_result` for the duration of the call.
    package func withUnsafeResult<Result>(_ body: (UnsafeRawPointer) throws -> Result) rethrows -> Result {
        try body(result)
    }

    /// What the relay needs to know of it.
    var secrets: HandshakeSecrets {
        HandshakeSecrets(remoteID: remoteStreamID, holepunchSecret: derive(from: .peerHolepunch))
    }

    private static let hashOffset = 2 * Int(HDHT_NOISE_KEY_SIZE)

    private var remoteStreamID: Bytes32 {
        handshakeHash.withUnsafeBytes { hash in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Bytes32.count) { id in
                _ = hdht_secretstream_id(hash.bytes, isInitiator ? 0 : 1, id.baseAddress)
                return Bytes32(at: id.baseAddress!)  // an allocation that is not empty has an address
            }
        }
    }

    private func derive(from nameSpace: Bytes32) -> Bytes32 {
        handshakeHash.withUnsafeBytes { key in
            nameSpace.withUnsafeBytes { message in
                withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Bytes32.count) { hash in
                    _ = hdht_hash_keyed(key.bytes, key.count, message.bytes, message.count, hash.baseAddress)
                    return Bytes32(at: hash.baseAddress!)  // as above
                }
            }
        }
    }
}

/// The namespaces of the DHT that handshakes use.
extension Bytes32 {
    fileprivate static let peerHolepunch = nameSpace(HDHT_NAMESPACE_PEER_HOLEPUNCH)
    fileprivate static let peerHandshake = nameSpace(HDHT_NAMESPACE_PEER_HANDSHAKE)

    private static func nameSpace(_ number: Int) -> Bytes32 {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { bytes in
            _ = hdht_namespace(UInt32(number), bytes.baseAddress)
            return Bytes32(at: bytes.baseAddress!)  // an allocation that is not empty has an address
        }
    }
}
