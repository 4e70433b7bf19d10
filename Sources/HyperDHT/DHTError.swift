/// What went wrong, as a code to act on and a sentence to read.
public struct DHTError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure. More may come with later versions.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String {
            case invalidKeyLength, malformedKeyText, noEntropy
            case invalidArgument, invalidState, outOfMemory, limitReached, closed, suspended, cancelled, notFound
            case malformedAddress, malformedState, tooLarge, badSignature
            case timedOut, addressInUse, addressUnavailable, permissionDenied, networkFailure, storageFailure
            case noNodes, quorumNotReached, sequenceReused, sequenceTooLow, unknownCommand, invalidToken, refused
            case unexpected
        }

        private let value: Value

        /// A key or seed has the wrong number of bytes.
        public static let invalidKeyLength = Self(value: .invalidKeyLength)

        /// Text is neither hexadecimal nor z-base-32 of a key.
        public static let malformedKeyText = Self(value: .malformedKeyText)

        /// The operating system gave no random bytes.
        public static let noEntropy = Self(value: .noEntropy)

        /// An argument is out of range or has the wrong length.
        public static let invalidArgument = Self(value: .invalidArgument)

        /// The node cannot do this now.
        public static let invalidState = Self(value: .invalidState)

        /// There is no memory left.
        public static let outOfMemory = Self(value: .outOfMemory)

        /// As many of these as there may be are there already.
        public static let limitReached = Self(value: .limitReached)

        /// The node was closed.
        public static let closed = Self(value: .closed)

        /// The node is suspended.
        public static let suspended = Self(value: .suspended)

        /// The task was cancelled, or a signature refused.
        public static let cancelled = Self(value: .cancelled)

        /// There is no such thing.
        public static let notFound = Self(value: .notFound)

        /// An address or an entry of a bootstrap list does not read.
        public static let malformedAddress = Self(value: .malformedAddress)

        /// The state file does not hold a node's state.
        public static let malformedState = Self(value: .malformedState)

        /// The value does not fit one packet.
        public static let tooLarge = Self(value: .tooLarge)

        /// The signature does not belong to the message and the key.
        public static let badSignature = Self(value: .badSignature)

        /// No answer came in time.
        public static let timedOut = Self(value: .timedOut)

        /// The port is used by another socket.
        public static let addressInUse = Self(value: .addressInUse)

        /// The address is none of this machine's.
        public static let addressUnavailable = Self(value: .addressUnavailable)

        /// The operating system refused permission.
        public static let permissionDenied = Self(value: .permissionDenied)

        /// The operating system reported a network failure.
        public static let networkFailure = Self(value: .networkFailure)

        /// A file could not be read or written.
        public static let storageFailure = Self(value: .storageFailure)

        /// No node of the network answered.
        public static let noNodes = Self(value: .noNodes)

        /// Fewer nodes than needed stored it.
        public static let quorumNotReached = Self(value: .quorumNotReached)

        /// The sequence number already stands for another value.
        public static let sequenceReused = Self(value: .sequenceReused)

        /// A value with a higher sequence number is stored.
        public static let sequenceTooLow = Self(value: .sequenceTooLow)

        /// The node does not serve this command.
        public static let unknownCommand = Self(value: .unknownCommand)

        /// The node no longer accepts the token it gave.
        public static let invalidToken = Self(value: .invalidToken)

        /// The node refused for a reason this library does not know.
        public static let refused = Self(value: .refused)

        /// Something that should not happen; a bug of this library.
        public static let unexpected = Self(value: .unexpected)

        /// The code's name, for example `malformedKeyText`.
        public var description: String {
            value.rawValue
        }
    }

    /// What kind of failure it is.
    public let code: Code

    /// One sentence about this case, for people.
    public let message: String

    /// Of something that too few nodes stored: which did, and why the others did not.
    public let storeReport: StoreReport?

    package init(_ code: Code, _ message: String, storeReport: StoreReport? = nil) {
        self.code = code
        self.message = message
        self.storeReport = storeReport
    }

    /// The code, then the message.
    public var description: String {
        "\(code): \(message)"
    }
}
