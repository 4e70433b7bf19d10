internal import CLibuv

/// Masking (RFC 6455, section 5.3): each byte is combined with one of four, in turn. Doing it twice undoes it.
enum WebSocketMask {
    /// Masks or unmasks bytes in place, 8 at a time.
    ///
    /// - Parameters:
    ///   - mask: In memory order.
    ///   - offset: How many bytes of the payload came before these.
    static func apply(_ mask: UInt32, offset: Int, to bytes: UnsafeMutableRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        let rotated = rotate(mask, by: offset)
        let word = UInt64(rotated) | UInt64(rotated) << 32
        let wide = SIMD4<UInt64>(repeating: word)

        var position = 0
        while position + 32 <= bytes.count {
            let value = start.loadUnaligned(fromByteOffset: position, as: SIMD4<UInt64>.self)
            start.storeBytes(of: value ^ wide, toByteOffset: position, as: SIMD4<UInt64>.self)
            position += 32
        }
        while position + 8 <= bytes.count {
            let value = start.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            start.storeBytes(of: value ^ word, toByteOffset: position, as: UInt64.self)
            position += 8
        }
        // The words above are a multiple of the mask, so it starts anew here.
        withUnsafeBytes(of: rotated) { mask in
            while position < bytes.count {
                bytes[position] ^= mask[position & 3]
                position += 1
            }
        }
    }

    /// The mask as it stands for the byte at `offset`.
    private static func rotate(_ mask: UInt32, by offset: Int) -> UInt32 {
        let bits = UInt32(offset & 3) * 8
        let little = UInt32(littleEndian: mask)
        return UInt32(littleEndian: bits == 0 ? little : little >> bits | little << (32 - bits))
    }
}

/// Masks that nobody can foresee (RFC 6455, section 10.3), drawn from the operating system many at a time.
struct WebSocketMaskSource {
    /// 256 bytes: what operating systems give in one piece at once.
    private static let masksPerDraw = 64

    private var masks: [UInt32] = []

    mutating func next() -> UInt32 {
        if let mask = masks.popLast() { return mask }
        masks = [UInt32](repeating: 0, count: Self.masksPerDraw)
        masks.withUnsafeMutableBytes { masks in
            let status = uv_random(nil, nil, masks.baseAddress, masks.count, 0, nil)
            precondition(status == 0, "the system gives no random bytes: \(String(cString: uv_strerror(status)))")
        }
        return masks.removeLast()
    }
}
