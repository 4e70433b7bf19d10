/// 32 bytes as one value, without an allocation: a public key, a topic, a token, the id of a node.
package struct Bytes32: Hashable, Sendable {
    package static let count = 32

    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// 32 zeros.
    package init() {}

    /// The given bytes, or nil when they are not 32.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.count else { return nil }
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// 32 bytes of one value.
    package init(repeating byte: UInt8) {
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: repeatElement(byte, count: Self.count)) }
    }

    /// Copies the 32 bytes at `start`.
    init(at start: UnsafeRawPointer) {
        words = start.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self)
    }

    /// Lends the bytes for the duration of the call.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try Swift.withUnsafeBytes(of: words, body)
    }

    /// A copy of the bytes.
    package var array: [UInt8] {
        withUnsafeBytes(Array.init)
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.words == right.words
    }

    package func hash(into hasher: inout Hasher) {
        withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

/// 64 bytes as one value: a handshake hash, a signature.
package struct Bytes64: Hashable, Sendable {
    package static let count = 64

    private var first = Bytes32()
    private var second = Bytes32()

    /// 64 zeros.
    package init() {}

    /// The given bytes, or nil when they are not 64.
    package init?(_ bytes: some Collection<UInt8>) {
        guard let first = Bytes32(bytes.prefix(32)), let second = Bytes32(bytes.dropFirst(32)) else { return nil }
        (self.first, self.second) = (first, second)
    }

    /// Copies the 64 bytes at `start`.
    init(at start: UnsafeRawPointer) {
        first = Bytes32(at: start)
        second = Bytes32(at: start + Bytes32.count)
    }

    /// Lends the bytes for the duration of the call.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try Swift.withUnsafeBytes(of: self, body)
    }

    /// A copy of the bytes.
    package var array: [UInt8] {
        withUnsafeBytes(Array.init)
    }
}
