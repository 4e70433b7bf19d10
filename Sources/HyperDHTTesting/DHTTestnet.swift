public import HyperDHT

/// A network of its own on this machine, for tests and for trying things out: a bootstrap node and others that joined through
/// it, all on 127.0.0.1 and none of them in touch with the public network.
///
///     try await DHTTestnet.withNetwork(nodeCount: 5) { network in
///         try await network.nodes[1].announce(topic, as: keyPair)
///         for try await answer in network.nodes[4].lookup(topic) { … }
///     }
public struct DHTTestnet: Sendable {
    /// All nodes, the bootstrap node first.
    public let nodes: [DHT]

    /// Where the bootstrap node is.
    public let bootstrapAddress: NodeAddress

    /// What a further node needs to join.
    public var bootstrap: DHT.Bootstrap {
        .nodes([bootstrapAddress.description])
    }

    /// A node that joins, uses what it finds, and serves nobody.
    public var clientConfiguration: DHT.Configuration {
        DHT.Configuration(bootstrap: bootstrap, port: .any, interface: .loopback())
    }

    /// Starts a network: one node joins after the other.
    ///
    /// - Parameters:
    ///   - nodeCount: The bootstrap node included; at least 1.
    ///   - port: Of the bootstrap node; nil for any.
    public static func start(nodeCount: Int = 8, port: UInt16? = nil) async throws(DHTError) -> DHTTestnet {
        precondition(nodeCount >= 1, "a network has at least one node")
        let first = try await DHT.start(
            configuration: DHT.Configuration(
                bootstrap: .isolated, port: port.map(DHT.Port.exactly) ?? .any, interface: .loopback(),
                mode: .persistent,
                isReachable: true, publicHost: .loopback()))
        var nodes = [first]
        do throws(DHTError) {
            try await first.ready()
            guard let address = try await first.state().localAddress else {
                throw DHTError(.suspended, "the bootstrap node has no socket")
            }
            let configuration = DHT.Configuration(
                bootstrap: .nodes([address.description]), port: .any, interface: .loopback(), mode: .persistent,
                isReachable: true)
            while nodes.count < nodeCount {
                let node = try await DHT.start(configuration: configuration)
                nodes.append(node)
                try await node.ready()
            }
            return DHTTestnet(nodes: nodes, bootstrapAddress: address)
        } catch {
            for node in nodes { await node.close() }
            throw error
        }
    }

    /// Runs a network for as long as a piece of code needs it.
    public static func withNetwork<Result>(
        nodeCount: Int = 8, isolation: isolated (any Actor)? = #isolation, _ body: (DHTTestnet) async throws -> Result
    ) async throws -> Result {
        let network = try await start(nodeCount: nodeCount)
        do {
            let result = try await body(network)
            await network.close()
            return result
        } catch {
            await network.close()
            throw error
        }
    }

    /// Closes all nodes.
    public func close() async {
        for node in nodes { await node.close() }
    }
}
