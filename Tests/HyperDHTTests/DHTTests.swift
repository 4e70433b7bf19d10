import Foundation
import HyperDHT
import HyperDHTTesting
import Testing

private func topic(_ byte: UInt8) -> [UInt8] {
    [UInt8](repeating: byte, count: 32)
}

private func peers(_ answers: LookupAnswers) async throws -> Set<PublicKey> {
    var keys: Set<PublicKey> = []
    for try await answer in answers { keys.formUnion(answer.peers.map(\.publicKey)) }
    return keys
}

/// Nothing here reaches further than 127.0.0.1.
@Suite("DHT", .timeLimit(.minutes(2))) struct DHTTests {
    private let isolated = DHT.Configuration(bootstrap: .isolated, port: .any, interface: .loopback())

    @Test("What one node announces another finds, until it is unannounced") func announcing() async throws {
        try await DHTTestnet.withNetwork { network in
            let keyPair = try KeyPair(seed: topic(7))
            let report = try await network.nodes[1].announce(topic(1), as: keyPair)
            #expect(report.storedCount > 0)
            #expect(report.storedCount == report.nodes.count)
            #expect(report.target == topic(1))
            #expect(try await peers(network.nodes[5].lookup(topic(1))) == [keyPair.publicKey])
            #expect(try await network.nodes[1].unannounce(topic(1), as: keyPair) > 0)
            #expect(try await peers(network.nodes[5].lookup(topic(1))) == [])
        }
    }

    @Test("A peer that announced itself is found by its key") func findingPeers() async throws {
        try await DHTTestnet.withNetwork(nodeCount: 4) { network in
            let keyPair = try KeyPair()
            try await network.nodes[1].announce(keyPair.publicKey.topic, as: keyPair)
            #expect(try await peers(network.nodes[3].findPeer(keyPair.publicKey)) == [keyPair.publicKey])
        }
    }

    @Test("A key may live elsewhere") func remoteSigner() async throws {
        try await DHTTestnet.withNetwork(nodeCount: 4) { network in
            let keyPair = try KeyPair()
            let node = network.nodes[1]
            let report = try await node.announce(topic(2), as: keyPair.publicKey) { request in
                #expect(request.purpose == .announce)
                #expect(request.target == topic(2))
                return keyPair.signature(for: request.signable)
            }
            #expect(report.storedCount > 0)
            try await node.putMutable([1], as: keyPair.publicKey, sequence: 1) { keyPair.signature(for: $0.signable) }
            #expect(try await network.nodes[2].getMutable(keyPair.publicKey)?.bytes == [1])

            let error = await #expect(throws: DHTError.self) {
                try await node.announce(topic(3), as: keyPair.publicKey) { _ in throw CancellationError() }
            }
            #expect(error?.storeReport?.storedCount == 0)
            #expect(error?.storeReport?.nodes.allSatisfy { $0.failure == .cancelled } == true)
            #expect(
                try await node.unannounce(topic(2), as: keyPair.publicKey) { keyPair.signature(for: $0.signable) } > 0)
        }
    }

    @Test("Values are found by their hash") func immutableValues() async throws {
        try await DHTTestnet.withNetwork(nodeCount: 4) { network in
            let report = try await network.nodes[1].putImmutable(Array("seven small stones".utf8))
            #expect(try await network.nodes[3].getImmutable(report.target) == Array("seven small stones".utf8))
            #expect(try await network.nodes[3].getImmutable(topic(9)) == nil)
        }
    }

    @Test("A mutable value is replaced only by one with a higher number") func mutableValues() async throws {
        try await DHTTestnet.withNetwork(nodeCount: 4) { network in
            let keyPair = try KeyPair()
            let (writer, reader) = (network.nodes[1], network.nodes[3])
            #expect(try await reader.getMutable(keyPair.publicKey) == nil)
            try await writer.putMutable([3], as: keyPair, sequence: 3)
            let found = try await reader.getMutable(keyPair.publicKey)
            #expect(found?.bytes == [3])
            #expect(found?.sequence == 3)

            let reused = await #expect(throws: DHTError.self) {
                try await writer.putMutable([4], as: keyPair, sequence: 3)
            }
            #expect(reused?.code == .sequenceReused)
            #expect(reused?.storeReport?.nodes.allSatisfy { $0.failure == .sequenceReused } == true)
            let tooLow = await #expect(throws: DHTError.self) {
                try await writer.putMutable([4], as: keyPair, sequence: 2)
            }
            #expect(tooLow?.code == .sequenceTooLow)
            try await writer.putMutable([4], as: keyPair, sequence: 4)
            #expect(try await reader.getMutable(keyPair.publicKey, takesFirst: true)?.bytes == [4])
            #expect(try await reader.getMutable(keyPair.publicKey, minimumSequence: 5) == nil)
        }
    }

    @Test("Values above one packet and topics of another length are refused") func sizes() async throws {
        try await DHT.withNode(configuration: isolated) { dht in
            let tooLarge = await #expect(throws: DHTError.self) {
                try await dht.putImmutable([UInt8](repeating: 0, count: 1091))
            }
            #expect(tooLarge?.code == .tooLarge)
            let short = await #expect(throws: DHTError.self) { try await peers(dht.lookup([1, 2, 3])) }
            #expect(short?.code == .invalidArgument)
        }
    }

    @Test("A node on its own finds nobody and says so") func isolatedNode() async throws {
        try await DHT.withNode(configuration: isolated) { dht in
            let state = try await dht.state()
            #expect(state.isReady)
            #expect(!state.isPersistent)
            #expect(state.knownNodeCount == 0)
            let error = await #expect(throws: DHTError.self) { try await peers(dht.lookup(topic(1))) }
            #expect(error?.code == .noNodes)
        }
    }

    @Test("A lookup may be given up, also after its node") func givingUp() async throws {
        try await DHTTestnet.withNetwork(nodeCount: 4) { network in
            let keyPair = try KeyPair()
            try await network.nodes[1].announce(topic(4), as: keyPair)
            for try await answer in network.nodes[2].lookup(topic(4)) {
                #expect(!answer.peers.isEmpty)
                break
            }
            let dht = try await DHT.start(configuration: network.clientConfiguration)
            try await dht.ready()
            var iterator = dht.lookup(topic(4)).makeAsyncIterator()
            #expect(try await iterator.next() != nil)
            await dht.close()
            let error = await #expect(throws: DHTError.self) { while try await iterator.next() != nil {} }
            #expect(error?.code == .closed)
        }
    }

    @Test("A cancelled task's query is cancelled") func cancelling() async throws {
        try await DHTTestnet.withNetwork(nodeCount: 4) { network in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await network.nodes[1].findNodes(near: topic(5))
            }
            let error = await #expect(throws: DHTError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test("A closed node answers everything with its end") func closing() async throws {
        let dht = try await DHT.start(configuration: isolated)
        async let first: Void = dht.close()
        async let second: Void = dht.close()
        _ = await (first, second)
        let error = await #expect(throws: DHTError.self) { try await dht.state() }
        #expect(error?.code == .closed)
        for await _ in dht.events {}
    }

    @Test("A node nobody closed closes itself") func abandoning() async throws {
        for _ in 0..<3 { _ = try await DHT.start(configuration: isolated) }
    }

    @Test("Bootstrap lists that do not read and ports that are taken are errors") func wrongConfigurations()
        async throws
    {
        var configuration = isolated
        configuration.bootstrap = .nodes(["no port"])
        let malformed = await #expect(throws: DHTError.self) { try await DHT.start(configuration: configuration) }
        #expect(malformed?.code == .malformedAddress)

        try await DHT.withNode(configuration: isolated) { dht in
            let port = try #require(try await dht.state().localAddress?.port)
            var configuration = isolated
            configuration.port = .exactly(port)
            let taken = await #expect(throws: DHTError.self) { try await DHT.start(configuration: configuration) }
            #expect(taken?.code == .addressInUse)
        }
    }

    @Test("A node finds its network again without bootstrap nodes") func warmStart() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hdht-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "state").path(percentEncoded: false)
        try await DHTTestnet.withNetwork(nodeCount: 5) { network in
            var configuration = network.clientConfiguration
            configuration.statePath = path
            try await DHT.withNode(configuration: configuration) { _ in }
            configuration.bootstrap = .isolated
            try await DHT.withNode(configuration: configuration) { dht in
                let nodes = try await dht.findNodes(near: topic(1))
                #expect(nodes.count >= 4)
            }
            try Data("no state".utf8).write(to: URL(filePath: path))
            try await DHT.withNode(configuration: configuration) { dht in
                for await event in dht.events {
                    guard case .stateDamaged(let error) = event else { continue }
                    #expect(error.code == .malformedState)
                    break
                }
            }
            #expect(FileManager.default.fileExists(atPath: path + ".damaged"))
        }
    }

    @Test("A suspended node comes back on its port") func suspending() async throws {
        try await DHTTestnet.withNetwork(nodeCount: 4) { network in
            try await DHT.withNode(configuration: network.clientConfiguration) { dht in
                let before = try await dht.state().localAddress
                try await dht.suspend()
                #expect(try await dht.state().isSuspended)
                #expect(try await dht.state().localAddress == nil)
                try await dht.resume()
                #expect(try await dht.state().localAddress == before)
                #expect(try await dht.findNodes(near: topic(1)).count >= 3)
            }
        }
    }
}

@Suite("Node addresses") struct NodeAddressTests {
    @Test("An address reads back from its text") func text() {
        #expect(NodeAddress("1.2.3.4:5") == NodeAddress(1, 2, 3, 4, port: 5))
        #expect(NodeAddress(255, 0, 1, 2, port: 65535).description == "255.0.1.2:65535")
        #expect(NodeAddress.loopback(port: 7).host == "127.0.0.1")
    }

    @Test(
        "Text that is no address is refused",
        arguments: ["", "1.2.3:4", "1.2.3.4", "1.2.3.256:1", "1.2.3.4:65536", "::1"])
    func malformed(text: String) {
        #expect(NodeAddress(text) == nil)
    }
}
