internal import CHyperDHT

/// Owns the 64 bytes of a secret key (the seed, then the public key): one allocation, wiped when the last reference goes.
///
/// `@unchecked Sendable`: the memory is written only in `init` and `deinit`.
package final class SecretKey: @unchecked Sendable {
    package static let count = Int(HDHT_SECRET_KEY_SIZE)

    /// A whole pair, because that is what the C functions take; its public half is what the secret half claims.
    private let keys: UnsafeMutablePointer<hdht_key_pair>

    /// Copies the 64 bytes at `start`.
    init(at start: UnsafeRawPointer) {
        keys = .allocate(capacity: 1)
        let memory = UnsafeMutableRawPointer(keys)
        memory.copyMemory(from: start + Bytes32.count, byteCount: Bytes32.count)
        memory.advanced(by: Bytes32.count).copyMemory(from: start, byteCount: Self.count)
    }

    /// The key that belongs to the 32 bytes at `start`.
    init(seedAt start: UnsafeRawPointer) {
        keys = .allocate(capacity: 1)
        keys.initialize(to: hdht_key_pair())
        _ = hdht_key_pair_from_seed(start.assumingMemoryBound(to: UInt8.self), keys)
    }

    deinit {
        hdht_key_pair_wipe(keys)
        keys.deallocate()
    }

    /// The second half, which says which public key belongs to the seed.
    var publicKey: Bytes32 {
        Bytes32(at: keys)
    }

    /// Lends the bytes where they are, for the duration of the call. Do not keep them.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(start: UnsafeRawPointer(keys) + Bytes32.count, count: Self.count))
    }

    func withKeyPair<Result>(_ body: (UnsafePointer<hdht_key_pair>) -> Result) -> Result {
        body(keys)
    }

    /// Compares without telling by its duration where the difference is.
    func isEqual(to other: SecretKey) -> Bool {
        withUnsafeBytes { mine in
            other.withUnsafeBytes { theirs in
                zip(mine, theirs).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
            }
        }
    }
}

/// An Ed25519 key pair as the relay protocol carries it. Never prints its secret half.
package struct RelayKeyPair: Sendable, CustomStringConvertible, CustomReflectable {
    package let publicKey: Bytes32
    package let secretKey: SecretKey

    /// What somebody says is a pair; see ``isValid``.
    init(publicKey: Bytes32, secretKey: SecretKey) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// Copies a key pair.
    ///
    /// - Parameter secretKey: 64 bytes, the seed and then the public key. Nil when there are not as many.
    package init?(secretKey: UnsafeRawBufferPointer) {
        guard secretKey.count == SecretKey.count, let start = secretKey.baseAddress else { return nil }
        let secretKey = SecretKey(at: start)
        self.init(publicKey: secretKey.publicKey, secretKey: secretKey)
    }

    /// The pair that belongs to a seed.
    package init(seed: Bytes32) {
        let secretKey = seed.withUnsafeBytes { SecretKey(seedAt: $0.start) }
        self.init(publicKey: secretKey.publicKey, secretKey: secretKey)
    }

    /// Whether the public key, at both places, is the one that belongs to the seed. Costs a scalar multiplication.
    package var isValid: Bool {
        let derived = secretKey.withUnsafeBytes { SecretKey(seedAt: $0.start) }
        return derived.publicKey == publicKey && derived.isEqual(to: secretKey)
    }

    /// Whether both halves are the same.
    package func isIdentical(to other: Self) -> Bool {
        publicKey == other.publicKey && secretKey.isEqual(to: other.secretKey)
    }

    package var description: String { "RelayKeyPair" }

    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
