/// The name of a peer: an Ed25519 public key of 32 bytes.
///
/// Prints and parses as 64 hexadecimal digits or as 52 characters of z-base-32, the form people exchange.
public struct PublicKey: Sendable {
    /// How many bytes every public key has.
    public static let byteCount = 32

    /// Four words, so that a key lives inside the struct and copies without allocation.
    typealias Words = (UInt64, UInt64, UInt64, UInt64)

    private let words: Words

    /// Takes 32 bytes as they are. Whether they are a usable point of the curve shows when the key is used.
    ///
    /// - Throws: ``DHTError/Code/invalidKeyLength`` for any other number of bytes.
    public init(_ bytes: some Collection<UInt8>) throws(DHTError) {
        guard bytes.count == Self.byteCount else {
            throw DHTError(.invalidKeyLength, "a public key has 32 bytes, not \(bytes.count)")
        }
        var words: Words = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
        self.words = words
    }

    /// Reads 64 hexadecimal digits (of either case) or 52 characters of z-base-32.
    ///
    /// - Throws: ``DHTError/Code/malformedKeyText`` for anything else.
    public init(_ text: some StringProtocol) throws(DHTError) {
        words = try Keys.parse(Array(text.utf8))
    }

    init(words: Words) {
        self.words = words
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        withBytes(Array.init)
    }

    /// Lends the 32 bytes for the duration of the call.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(of: words, body)
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String {
        Keys.hex(self)
    }

    /// 52 characters of z-base-32.
    public var zBase32: String {
        Keys.zBase32(self)
    }

    /// The hash under which this peer is announced on the DHT: BLAKE2b-256 of the key.
    public var topic: [UInt8] {
        withBytes(Keys.hash)
    }

    /// Whether this key made the signature of the message.
    public func isValidSignature(_ signature: some Collection<UInt8>, for message: some Collection<UInt8>) -> Bool {
        Keys.isValid(signature: Array(signature), message: Array(message), publicKey: self)
    }
}

extension PublicKey: Hashable {
    /// Equal when all 32 bytes are.
    public static func == (left: Self, right: Self) -> Bool {
        left.words == right.words
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        withBytes { hasher.combine(bytes: $0) }
    }
}

extension PublicKey: CustomStringConvertible {
    /// The same as ``hex``.
    public var description: String {
        hex
    }
}

extension PublicKey: Codable {
    /// Reads a string of hexadecimal digits or z-base-32.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Writes ``hex``.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}
