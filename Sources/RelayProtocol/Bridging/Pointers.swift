internal import CHyperDHT

extension UnsafeRawBufferPointer {
    init(_ bytes: hdht_bytes) {
        self.init(start: bytes.data, count: bytes.size)
    }

    /// Where the bytes are, for C.
    var bytes: UnsafePointer<UInt8>? {
        baseAddress?.assumingMemoryBound(to: UInt8.self)
    }

    /// Where the bytes are, when there are some.
    var start: UnsafeRawPointer {
        baseAddress!  // callers know the size of what they ask for, and it is not zero
    }

    var asBytes: hdht_bytes {
        hdht_bytes(data: bytes, size: count)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Where the bytes are, for C.
    var mutableBytes: UnsafeMutablePointer<UInt8>? {
        baseAddress?.assumingMemoryBound(to: UInt8.self)
    }
}
