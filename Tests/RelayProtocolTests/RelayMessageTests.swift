import Testing

@testable import RelayProtocol

private let recorded = Vectors.cases("relay-messages.json").filter { $0.text("codec") == nil }

@Suite("Relay messages") struct RelayMessageTests {
    @Test("The recorded messages are there") func recordedMessages() {
        #expect(Set(recorded.map { $0.integer("type") }).count == Int(RelayMessage.typesCount))
        #expect(recorded.count > 500)
    }

    @Test("A recorded message reads as the reference reads it", arguments: recorded.filter { $0.text("error") == nil })
    func decoding(vector: Vector) throws {
        let type = try #require(vector.integer("type"))
        let body = try #require(try vector.bytes("hex"))
        try body.withUnsafeBytes { body in
            let message = try RelayMessage(type: UInt32(type), body: body)
            #expect(message.type == UInt32(type))
            var expected = vector.object("decoded")?.withoutNulls ?? [:]
            if expected["error"] == "" as AnyHashable { expected["error"] = nil }  // an empty text cannot be sent
            if expected["peerId"] == "" as AnyHashable { expected["peerId"] = nil }
            #expect(message.json == expected)
        }
    }

    @Test(
        "A message is written as the reference writes it",
        arguments: recorded.filter { $0.text("error") == nil && !$0.flag("accepted") }
    )
    func encoding(vector: Vector) throws {
        let type = try #require(vector.integer("type"))
        let body = try #require(try vector.bytes("hex"))
        let built = try RelayMessage(type: type, json: vector.object("encode") ?? vector.object("decoded"))
        #expect(hex(built.encodedBody) == hex(body))
        try body.withUnsafeBytes { body in
            let read = try RelayMessage(type: UInt32(type), body: body)
            #expect(hex(read.encodedBody) == hex(body))
        }
    }

    @Test("A malformed message is refused", arguments: recorded.filter { $0.text("error") != nil })
    func malformed(vector: Vector) throws {
        let type = try #require(vector.integer("type"))
        let body = try #require(try vector.bytes("hex"))
        #expect(throws: RelayMessageError.self) {
            try body.withUnsafeBytes { _ = try RelayMessage(type: UInt32(type), body: $0) }
        }
    }

    @Test("A type without a message is refused") func unknownType() {
        #expect(throws: RelayMessageError.unknownType(28)) {
            _ = try RelayMessage(type: 28, body: UnsafeRawBufferPointer(start: nil, count: 0))
        }
        #expect(RelayMessage.name(ofType: 27) == "noiseReply")
        #expect(RelayMessage.name(ofType: 28) == "unknown")
    }

    @Test("Chunks are read and written where they are") func chunksInPlace() throws {
        let body: [UInt8] = [7, 0, 0, 0, 3, 2, 0xaa, 0xbb, 0, 1, 0xcc]
        try body.withUnsafeBytes { body in
            let message = try RelayMessage(type: 16, body: body)
            guard case .data(7, let chunks) = message else {
                Issue.record("no data: \(message)")
                return
            }
            #expect(chunks.count == 3)
            #expect(chunks.byteCount == 3)
            var offsets: [Int] = []
            chunks.forEach { chunk in offsets.append(chunk.baseAddress! - body.baseAddress!) }
            #expect(offsets == [6, 9, 10])

            message.withParts { parts in
                #expect(parts.count == 6)
                #expect(parts[1].baseAddress == body.baseAddress! + 6)
                #expect(parts[5].baseAddress == body.baseAddress! + 10)
                #expect(Array(parts.joined()) == Array(body))
            }
        }
    }

    @Test("However chunks are held, they make the same message", arguments: [0, 1, 2, 300]) func chunkStorage(
        count: Int
    ) {
        let arrays = (0..<count).map { [UInt8](repeating: UInt8($0 & 0xff), count: $0 * 3 % 400) }
        let owned = DataChunks(arrays)
        #expect(owned.count == count)
        #expect(owned.arrays == arrays)
        let body = RelayMessage.data(alias: 9, owned).encodedBody
        body.withUnsafeBytes { body in
            guard case .data(9, let read)? = try? RelayMessage(type: 16, body: body) else {
                Issue.record("no data")
                return
            }
            #expect(read == owned)
            #expect(read.owned == owned)
            #expect(RelayMessage.data(alias: 9, read).encodedBody == Array(body))
            var pointers: [UnsafeRawBufferPointer] = []
            read.forEach { pointers.append($0) }
            #expect(RelayMessage.data(alias: 9, DataChunks(lending: pointers)).encodedBody == Array(body))
            #expect(DataChunks(lending: pointers).byteCount == owned.byteCount)
            #expect(DataChunks(lending: pointers).owned == owned)
        }
    }

    @Test("A text that is not UTF-8 is repaired") func repairedText() throws {
        let body: [UInt8] = [3, 7, 0, 0, 0, 2, 0x41, 0xff]
        try body.withUnsafeBytes { body in
            guard case .destroy(let destroy) = try RelayMessage(type: 9, body: body) else { return }
            #expect(destroy == RelayMessage.Destroy(.alias(7), error: "A\u{fffd}"))
        }
    }

    @Test("What is lent can be kept") func owning() {
        var bytes: [UInt8] = [1, 2, 3]
        let kept = bytes.withUnsafeBytes { MessageBytes(lending: $0).owned }
        bytes[0] = 9
        #expect(kept == MessageBytes([1, 2, 3]))
        #expect(kept.owned == kept)
    }
}
