extension DHT {
    /// Whether a node serves others.
    public enum Mode: Sendable, Hashable {
        /// It does once it has proved reachable for a while.
        case adaptive
        /// It never does.
        case ephemeral
        /// It does as soon as its address is known and reachable.
        case persistent
    }

    /// Which network a node joins.
    public enum Bootstrap: Sendable, Hashable {
        /// The public network.
        case publicNetwork
        /// No network: the node is on its own until others come to it.
        case isolated
        /// The network of these nodes, each as `host:port` or `1.2.3.4@host:port` (an address, and a name to look up if nobody
        /// answers there). At most 20.
        case nodes([String])
    }

    /// Which port the node listens on.
    public enum Port: Sendable, Hashable {
        /// The first free one of 49737 to 49741, or any.
        case standard
        /// Whatever the system gives.
        case any
        /// The first free one of this and the next four, or any.
        case preferred(UInt16)
        /// This one; an error if it is taken.
        case exactly(UInt16)
    }

    /// How a node is set up.
    public struct Configuration: Sendable {
        /// Which network it joins.
        public var bootstrap: Bootstrap

        /// Which port it listens on.
        public var port: Port

        /// The address of the network interface to listen on; nil for all. Its port is ignored.
        public var interface: NodeAddress?

        /// Whether it serves others.
        public var mode: Mode

        /// There is no firewall in front of it, so none is looked for.
        public var isReachable: Bool

        /// The host others reach it at, for a bootstrap node. Its port is ignored.
        public var publicHost: NodeAddress?

        /// Further nodes that are known to exist.
        public var knownNodes: [NodeAddress]

        /// A file to remember the network in, so that the next start finds it faster.
        public var statePath: String?

        /// A node of the public network, unless something else is said.
        public init(
            bootstrap: Bootstrap = .publicNetwork, port: Port = .standard, interface: NodeAddress? = nil,
            mode: Mode = .adaptive, isReachable: Bool = false, publicHost: NodeAddress? = nil,
            knownNodes: [NodeAddress] = [], statePath: String? = nil
        ) {
            self.bootstrap = bootstrap
            self.port = port
            self.interface = interface
            self.mode = mode
            self.isReachable = isReachable
            self.publicHost = publicHost
            self.knownNodes = knownNodes
            self.statePath = statePath
        }
    }
}
