/// What went wrong, as a code to act on and a sentence to read.
public struct DHTError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure. More may come with later versions.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String {
            case invalidKeyLength, malformedKeyText, noEntropy
        }

        private let value: Value

        /// A key or seed has the wrong number of bytes.
        public static let invalidKeyLength = Self(value: .invalidKeyLength)

        /// Text is neither hexadecimal nor z-base-32 of a key.
        public static let malformedKeyText = Self(value: .malformedKeyText)

        /// The operating system gave no random bytes.
        public static let noEntropy = Self(value: .noEntropy)

        /// The code's name, for example `malformedKeyText`.
        public var description: String {
            value.rawValue
        }
    }

    /// What kind of failure it is.
    public let code: Code

    /// One sentence about this case, for people.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code, then the message.
    public var description: String {
        "\(code): \(message)"
    }
}
