import Testing

/// The bytes of hexadecimal text from a vector.
func bytes(fromHex text: String) throws -> [UInt8] {
    let digits = try text.map { try #require($0.hexDigitValue, "no hexadecimal digit: \($0)") }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}
