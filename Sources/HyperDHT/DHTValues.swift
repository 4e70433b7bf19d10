/// A peer as somebody announced it.
public struct AnnouncedPeer: Sendable, Hashable {
    /// Who it is.
    public let publicKey: PublicKey

    /// Nodes that pass messages on to it; often none, then ask the node that named the peer.
    public let relayAddresses: [NodeAddress]
}

/// What one node answered to a lookup.
public struct LookupAnswer: Sendable, Hashable {
    /// The node that answered.
    public let from: NodeAddress

    /// Our address as that node sees it.
    public let to: NodeAddress?

    /// The peers it knows; never empty.
    public let peers: [AnnouncedPeer]
}

/// A value that its owner signed and may replace.
public struct MutableValue: Sendable, Hashable {
    /// The value.
    public let bytes: [UInt8]

    /// Grows each time the value is replaced.
    public let sequence: UInt64

    /// The owner's signature, 64 bytes. It was checked.
    public let signature: [UInt8]
}

/// What became of something that was to be stored.
public struct StoreReport: Sendable, Hashable {
    /// One of the nodes nearest to the target.
    public struct Node: Sendable, Hashable {
        /// Where it is.
        public let address: NodeAddress

        /// Nil when it stored; otherwise why it did not.
        public let failure: DHTError.Code?
    }

    /// What it is found by: the topic, the hash of the value, or the hash of the key.
    public let target: [UInt8]

    /// The nodes nearest to the target, nearest first.
    public let nodes: [Node]

    /// How many of them stored it.
    public var storedCount: Int {
        nodes.count { $0.failure == nil }
    }
}

/// What the holder of a key is asked to sign.
public struct SigningRequest: Sendable {
    /// What the signature is for.
    public enum Purpose: Sendable, Hashable {
        /// To announce the key.
        case announce
        /// To take an announcement back.
        case unannounce
        /// To store a mutable value.
        case mutableValue
    }

    /// What the signature is for.
    public let purpose: Purpose

    /// The topic, or the hash of the key.
    public let target: [UInt8]

    /// The bytes to sign.
    public let signable: [UInt8]
}

/// Signs with a key that lives elsewhere: gives 64 bytes, or throws to refuse.
public typealias RemoteSigner = @Sendable (SigningRequest) async throws -> [UInt8]
