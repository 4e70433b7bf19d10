/// A byte string of a message: lent by the frame it was found in, or its own.
///
/// What a decoder hands out is lent and good only as long as the body that was decoded. Whoever keeps it takes ``owned``.
package struct MessageBytes {
    private enum Storage {
        case lent(UnsafeRawBufferPointer)
        case owned([UInt8])
    }

    private let storage: Storage

    /// No bytes.
    package static var empty: Self { Self([]) }

    /// Bytes of its own.
    package init(_ bytes: [UInt8]) {
        storage = .owned(bytes)
    }

    /// Bytes that somebody else keeps alive.
    package init(lending bytes: UnsafeRawBufferPointer) {
        storage = .lent(bytes)
    }

    package var count: Int {
        switch storage {
        case .lent(let bytes): bytes.count
        case .owned(let bytes): bytes.count
        }
    }

    package var isEmpty: Bool { count == 0 }

    /// The same bytes, to be kept.
    package var owned: Self {
        switch storage {
        case .lent(let bytes): Self(Array(bytes))
        case .owned: self
        }
    }

    /// A copy of the bytes.
    package var array: [UInt8] {
        withUnsafeBytes(Array.init)
    }

    /// Lends the bytes for the duration of the call.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch storage {
        case .lent(let bytes): try body(bytes)
        case .owned(let bytes): try bytes.withUnsafeBytes(body)
        }
    }
}

extension MessageBytes: Equatable {
    package static func == (left: Self, right: Self) -> Bool {
        left.withUnsafeBytes { left in right.withUnsafeBytes { left.elementsEqual($0) } }
    }
}
