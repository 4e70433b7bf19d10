/// An Ed25519 key pair: who a node is, and the means to prove it.
///
/// The secret key lives in memory that is overwritten when the last copy of the key pair is gone. It is never printed:
/// a key pair describes itself by its public key.
public struct KeyPair: Sendable {
    /// How many bytes a seed has.
    public static let seedByteCount = 32

    /// The name others know this key pair by.
    public let publicKey: PublicKey

    private let storage: KeyStorage

    /// A new key pair from the operating system's entropy.
    ///
    /// - Throws: ``DHTError/Code/noEntropy`` if there is none.
    public init() throws(DHTError) {
        self.init(storage: try KeyStorage())
    }

    /// The key pair that belongs to a seed; the same on every machine.
    ///
    /// - Parameter seed: 32 bytes that nobody else knows.
    /// - Throws: ``DHTError/Code/invalidKeyLength`` for any other number of bytes.
    public init(seed: some Collection<UInt8>) throws(DHTError) {
        guard seed.count == Self.seedByteCount else {
            throw DHTError(.invalidKeyLength, "a seed has 32 bytes, not \(seed.count)")
        }
        self.init(storage: KeyStorage(seed: Array(seed)))
    }

    private init(storage: KeyStorage) {
        self.storage = storage
        publicKey = storage.publicKey
    }

    /// Signs a message: 64 bytes that ``PublicKey/isValidSignature(_:for:)`` accepts.
    public func signature(for message: some Collection<UInt8>) -> [UInt8] {
        storage.sign(Array(message))
    }

    /// Lends the 64 bytes of the secret key (the seed, then the public key) for the duration of the call. Do not keep them.
    public func withSecretKey<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        storage.withSecretKey(body)
    }
}

extension KeyPair: Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Equal when the public keys are, for each has one secret key.
    public static func == (left: Self, right: Self) -> Bool {
        left.publicKey == right.publicKey
    }

    /// The public key; never the secret one.
    public var description: String {
        "KeyPair(\(publicKey.hex))"
    }

    /// The public key; never the secret one.
    public var debugDescription: String {
        description
    }

    /// Shows the public key alone, so that `dump` and test failures print no secret.
    public var customMirror: Mirror {
        Mirror(self, children: ["publicKey": publicKey])
    }
}
