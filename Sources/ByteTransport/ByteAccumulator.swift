/// Gathers bytes that arrive in pieces. Memory grows with what has come, whatever was announced.
struct ByteAccumulator: ~Copyable {
    /// What is reserved for an announced length before a byte of it has come.
    private static let reservedByteCountMax = 65536

    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var count = 0

    init() {}

    deinit {
        memory.deallocate()
    }

    /// What has been gathered. Good until the next change.
    var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: memory[0..<count])
    }

    /// Adds a copy of the bytes.
    ///
    /// - Parameter expected: How many bytes there will be in all, as announced.
    /// - Returns: The bytes in their new place.
    @discardableResult
    mutating func append(_ bytes: UnsafeRawBufferPointer, expected: Int) -> UnsafeMutableRawBufferPointer {
        let needed = count + bytes.count
        if needed > memory.count { grow(to: needed, expected: expected) }
        let added = UnsafeMutableRawBufferPointer(rebasing: memory[count..<needed])
        added.copyMemory(from: bytes)
        count = needed
        return added
    }

    /// Forgets the bytes and gives the memory back.
    mutating func removeAll() {
        memory.deallocate()
        memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        count = 0
    }

    private mutating func grow(to needed: Int, expected: Int) {
        let announced = min(max(expected, needed), max(Self.reservedByteCountMax, memory.count * 2))
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(needed, announced), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(bytes))
        memory.deallocate()
        memory = larger
    }
}
