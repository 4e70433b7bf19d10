/// Memory for bytes on their way out, of a size that one system call likes.
struct Chunk {
    static let capacity = 65536

    /// Larger than `capacity` for a single larger write.
    let memory: UnsafeMutableRawBufferPointer
    var start = 0
    var end = 0

    var filled: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: memory[start..<end])
    }

    var freeByteCount: Int {
        memory.count - end
    }
}

/// Keeps a few empty chunks for the next pipe that needs one.
final class ChunkPool {
    /// A megabyte; what is given back beyond that is freed.
    static let chunkCountMax = 16

    private var free: [UnsafeMutableRawBufferPointer] = []

    deinit {
        for memory in free { memory.deallocate() }
    }

    func take(atLeast byteCount: Int) -> Chunk {
        if byteCount <= Chunk.capacity, let memory = free.popLast() { return Chunk(memory: memory) }
        return Chunk(memory: .allocate(byteCount: max(byteCount, Chunk.capacity), alignment: 64))
    }

    func giveBack(_ chunk: Chunk) {
        if chunk.memory.count == Chunk.capacity, free.count < Self.chunkCountMax {
            free.append(chunk.memory)
        } else {
            chunk.memory.deallocate()
        }
    }
}

/// Bytes that wait to be sent, in chunks. Holds no memory while it is empty.
///
/// A write is never split over two chunks, so it is filled in place; bytes stay where they are until they are dropped, so a system call
/// may read them meanwhile.
struct OutgoingQueue {
    private(set) var chunks: [Chunk] = []
    private(set) var byteCount = 0

    /// Adds bytes, which `fill` puts in their place.
    mutating func append(byteCount: Int, from pool: ChunkPool, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        if chunks.isEmpty || chunks[chunks.count - 1].freeByteCount < byteCount {
            chunks.append(pool.take(atLeast: byteCount))
        }
        let last = chunks.count - 1
        let start = chunks[last].end
        fill(UnsafeMutableRawBufferPointer(rebasing: chunks[last].memory[start..<start + byteCount]))
        chunks[last].end += byteCount
        self.byteCount += byteCount
    }

    /// Forgets the first bytes.
    mutating func drop(_ count: Int, to pool: ChunkPool) {
        precondition(count <= byteCount)
        byteCount -= count
        var remaining = count
        while let first = chunks.first, remaining > 0 || first.start == first.end {
            let dropped = min(first.end - first.start, remaining)
            chunks[0].start += dropped
            remaining -= dropped
            guard chunks[0].start == chunks[0].end else { return }
            pool.giveBack(chunks.removeFirst())
        }
    }

    mutating func removeAll(to pool: ChunkPool) {
        for chunk in chunks { pool.giveBack(chunk) }
        chunks.removeAll()
        byteCount = 0
    }
}
