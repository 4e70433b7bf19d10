internal import CHyperDHT

/// The byte strings of one `data` message, in order, without copies of them.
///
/// In custodial mode each is one message of the peer's secret stream, so their boundaries have a meaning. An empty one is a
/// keep-alive.
package struct DataChunks {
    private enum Storage {
        /// As they are in the body of a message, which keeps them alive.
        case encoded(hdht_relay_chunks)
        /// Somebody else keeps it alive.
        case one(UnsafeRawBufferPointer)
        /// Somebody else keeps them alive.
        case several([UnsafeRawBufferPointer])
        case owned(bytes: [UInt8], sizes: [Int])
    }

    private let storage: Storage

    /// How many byte strings there are.
    package let count: Int

    /// How many bytes they have together.
    package let byteCount: Int

    private init(_ storage: Storage, count: Int, byteCount: Int) {
        self.storage = storage
        self.count = count
        self.byteCount = byteCount
    }

    init(_ chunks: hdht_relay_chunks) {
        var (rest, chunk, byteCount) = (chunks, hdht_bytes(), 0)
        while hdht_relay_chunks_next(&rest, &chunk) == 1 { byteCount += chunk.size }
        self.init(.encoded(chunks), count: chunks.count, byteCount: byteCount)
    }

    /// One chunk, lent.
    package init(lending chunk: UnsafeRawBufferPointer) {
        self.init(.one(chunk), count: 1, byteCount: chunk.count)
    }

    /// Several chunks, lent.
    package init(lending chunks: [UnsafeRawBufferPointer]) {
        self.init(.several(chunks), count: chunks.count, byteCount: chunks.reduce(0) { $0 + $1.count })
    }

    /// Copies chunks.
    package init(_ chunks: [[UInt8]]) {
        let bytes = Array(chunks.joined())
        self.init(.owned(bytes: bytes, sizes: chunks.map(\.count)), count: chunks.count, byteCount: bytes.count)
    }

    /// The same chunks, to be kept.
    package var owned: Self {
        if case .owned = storage { return self }
        var (bytes, sizes) = ([UInt8](), [Int]())
        bytes.reserveCapacity(byteCount)
        sizes.reserveCapacity(count)
        forEach { chunk in
            bytes.append(contentsOf: chunk)
            sizes.append(chunk.count)
        }
        return Self(.owned(bytes: bytes, sizes: sizes), count: count, byteCount: byteCount)
    }

    /// A copy of each chunk.
    package var arrays: [[UInt8]] {
        var arrays: [[UInt8]] = []
        forEach { arrays.append(Array($0)) }
        return arrays
    }

    /// Lends the chunks one after the other, each for the duration of its call.
    package func forEach(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        switch storage {
        case .encoded(var rest):
            var chunk = hdht_bytes()
            while hdht_relay_chunks_next(&rest, &chunk) == 1 { try body(UnsafeRawBufferPointer(chunk)) }
        case .one(let chunk):
            try body(chunk)
        case .several(let chunks):
            for chunk in chunks { try body(chunk) }
        case .owned(let bytes, let sizes):
            try bytes.withUnsafeBytes { bytes in
                var start = 0
                for size in sizes {
                    try body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + size]))
                    start += size
                }
            }
        }
    }

    /// How long the longest chunk is.
    var longest: Int {
        if case .one = storage { return byteCount }
        var longest = 0
        forEach { longest = Swift.max(longest, $0.count) }
        return longest
    }

    /// The same without empty chunks. What is lent stays lent.
    var withoutEmpty: Self {
        var hasEmpty = false
        forEach { hasEmpty = hasEmpty || $0.isEmpty }
        guard hasEmpty else { return self }
        if case .owned = storage { return Self(arrays.filter { !$0.isEmpty }) }
        var chunks: [UnsafeRawBufferPointer] = []
        forEach { if !$0.isEmpty { chunks.append($0) } }
        return Self(lending: chunks)
    }

    /// The same chunks in several messages, none longer than `byteCount` or with more than `count` chunks, unless a single chunk is
    /// longer and must not be cut. What is lent stays lent.
    func split(_ byteCount: Int, _ count: Int, cutsChunks: Bool) -> [Self] {
        if self.byteCount <= byteCount, self.count <= count { return [self] }
        if case .owned = storage {
            return withChunksInPlace { $0.split(byteCount, count, cutsChunks: cutsChunks).map(\.owned) }
        }
        var messages: [Self] = []
        var (message, size) = ([UnsafeRawBufferPointer](), 0)
        forEach { chunk in
            var rest = chunk
            repeat {
                if !message.isEmpty, size + rest.count > byteCount || message.count == count {
                    messages.append(Self(lending: message))
                    (message, size) = ([], 0)
                }
                let part = cutsChunks ? UnsafeRawBufferPointer(rebasing: rest.prefix(byteCount)) : rest
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
                message.append(part)
                size += part.count
            } while !rest.isEmpty
        }
        messages.append(Self(lending: message))
        return messages
    }

    /// Keeps owned bytes in place for the duration of the call, so that all chunks can be lent together.
    fileprivate func withChunksInPlace<Result>(_ body: (DataChunks) throws -> Result) rethrows -> Result {
        guard case .owned(let bytes, let sizes) = storage else { return try body(self) }
        return try bytes.withUnsafeBytes { bytes in
            var (chunks, start) = ([UnsafeRawBufferPointer](), 0)
            chunks.reserveCapacity(sizes.count)
            for size in sizes {
                chunks.append(UnsafeRawBufferPointer(rebasing: bytes[start..<start + size]))
                start += size
            }
            return try body(DataChunks(lending: chunks))
        }
    }
}

extension DataChunks: Equatable {
    package static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.byteCount == right.byteCount && left.arrays == right.arrays
    }
}

extension DataChunks {
    /// The most chunks one message can have.
    static let countLimit = Int(HDHT_LIST_LIMIT)

    /// Lends the body of a `data` message as the pieces it is made of, a header and a chunk in turns, the chunks where they are.
    /// Joined, they are what the codec would write into one buffer.
    func withParts<Result>(
        alias: UInt32, _ body: (UnsafeBufferPointer<UnsafeRawBufferPointer>) throws -> Result
    ) rethrows -> Result {
        precondition(count <= Self.countLimit, "whoever collects chunks stays within the limit")
        let headersSize = Int(HDHT_RELAY_DATA_HEADER_SIZE_MAX) + count * Int(HDHT_RELAY_CHUNK_HEADER_SIZE_MAX)
        return try withUnsafeTemporaryAllocation(byteCount: headersSize, alignment: 1) { headers in
            try withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: 2 * count + 1) { parts in
                try withChunksInPlace { chunks in
                    var list = PartsList(headers: headers, parts: parts)
                    if chunks.count == 0 { list.addDataHeader(alias: alias, count: 0, firstSize: 0) }
                    chunks.forEach { chunk in
                        if list.count == 0 {
                            list.addDataHeader(alias: alias, count: chunks.count, firstSize: chunk.count)
                        } else {
                            list.addChunkHeader(size: chunk.count)
                        }
                        list.add(chunk)
                    }
                    return try body(UnsafeBufferPointer(rebasing: parts[..<list.count]))
                }
            }
        }
    }
}

/// Writes headers one after the other and lists them with what follows each.
private struct PartsList {
    /// What is left of the room for headers.
    var headers: UnsafeMutableRawBufferPointer
    let parts: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>
    private(set) var count = 0

    init(headers: UnsafeMutableRawBufferPointer, parts: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>) {
        self.headers = headers
        self.parts = parts
    }

    mutating func add(_ part: UnsafeRawBufferPointer) {
        parts.initializeElement(at: count, to: part)
        count += 1
    }

    mutating func addDataHeader(alias: UInt32, count chunksCount: Int, firstSize: Int) {
        var size = 0
        _ = hdht_relay_data_header_encode(alias, chunksCount, firstSize, headers.mutableBytes, &size)
        takeHeader(size: size)
    }

    mutating func addChunkHeader(size chunkSize: Int) {
        takeHeader(size: hdht_relay_chunk_header_encode(chunkSize, headers.mutableBytes))
    }

    private mutating func takeHeader(size: Int) {
        add(UnsafeRawBufferPointer(rebasing: headers[..<size]))
        headers = UnsafeMutableRawBufferPointer(rebasing: headers[size...])
    }
}
