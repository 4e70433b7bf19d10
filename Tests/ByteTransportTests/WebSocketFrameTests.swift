import Testing

@testable import ByteTransport

/// Reads a header from bytes.
private func read(_ bytes: [UInt8]) -> WebSocketFrame.ReadResult {
    bytes.withUnsafeBytes { WebSocketFrame.read($0) }
}

private func write(_ frame: WebSocketFrame) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xaa, count: frame.headerByteCount)
    bytes.withUnsafeMutableBytes { frame.write(to: $0) }
    return bytes
}

@Suite("WebSocket frame header") struct WebSocketFrameTests {
    /// RFC 6455, section 5.7, where the examples are binary; and the edges of each form of the length.
    private static let headers: [(bytes: [UInt8], frame: WebSocketFrame)] = [
        ([0x81, 0x05], WebSocketFrame(opcode: .text, isFinal: true, payloadByteCount: 5, mask: nil)),
        (
            [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d],
            WebSocketFrame(opcode: .text, isFinal: true, payloadByteCount: 5, mask: UInt32(littleEndian: 0x3d21_fa37))
        ),
        ([0x01, 0x03], WebSocketFrame(opcode: .text, isFinal: false, payloadByteCount: 3, mask: nil)),
        ([0x80, 0x02], WebSocketFrame(opcode: .continuation, isFinal: true, payloadByteCount: 2, mask: nil)),
        ([0x89, 0x05], WebSocketFrame(opcode: .ping, isFinal: true, payloadByteCount: 5, mask: nil)),
        ([0x82, 0x7e, 0x01, 0x00], WebSocketFrame(opcode: .binary, isFinal: true, payloadByteCount: 256, mask: nil)),
        (
            [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0],
            WebSocketFrame(opcode: .binary, isFinal: true, payloadByteCount: 65536, mask: nil)
        ),
        ([0x82, 0x00], WebSocketFrame(opcode: .binary, isFinal: true, payloadByteCount: 0, mask: nil)),
        ([0x82, 0x7d], WebSocketFrame(opcode: .binary, isFinal: true, payloadByteCount: 125, mask: nil)),
        ([0x82, 0x7e, 0, 126], WebSocketFrame(opcode: .binary, isFinal: true, payloadByteCount: 126, mask: nil)),
        ([0x82, 0x7e, 0xff, 0xff], WebSocketFrame(opcode: .binary, isFinal: true, payloadByteCount: 65535, mask: nil)),
        (
            [0x82, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            WebSocketFrame(opcode: .binary, isFinal: true, payloadByteCount: Int.max, mask: nil)
        ),
        ([0x88, 0x7d], WebSocketFrame(opcode: .close, isFinal: true, payloadByteCount: 125, mask: nil)),
    ]

    @Test("A header reads and writes as the standard has it", arguments: headers)
    func roundTrip(bytes: [UInt8], frame: WebSocketFrame) {
        #expect(read(bytes) == .frame(frame))
        #expect(read(bytes + [1, 2, 3]) == .frame(frame))
        #expect(write(frame) == bytes)
    }

    @Test("A header that is cut short asks for the rest", arguments: headers)
    func cutShort(bytes: [UInt8], frame: WebSocketFrame) {
        for count in 0..<bytes.count {
            guard case .needsBytes(let needed) = read(Array(bytes.prefix(count))) else {
                Issue.record("\(count) of \(bytes.count) bytes were enough")
                return
            }
            #expect(needed > count && needed <= bytes.count)
        }
    }

    @Test(
        "A header that the standard forbids is a violation",
        arguments: [
            ([0xc2, 0x00], .reservedBits), ([0xa2, 0x00], .reservedBits), ([0x92, 0x00], .reservedBits),
            ([0x83, 0x00], .unknownOpcode), ([0x87, 0x00], .unknownOpcode), ([0x8b, 0x00], .unknownOpcode),
            ([0x8f, 0x00], .unknownOpcode),
            ([0x09, 0x00], .fragmentedControlFrame), ([0x08, 0x00], .fragmentedControlFrame),
            ([0x89, 0x7e, 0, 126], .longControlFrame), ([0x88, 0x7f], .longControlFrame),
            ([0x82, 0x7e, 0, 125], .malformedLength), ([0x82, 0x7e, 0, 0], .malformedLength),
            ([0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff], .malformedLength),
            ([0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0], .malformedLength),
            ([0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], .malformedLength),
        ] as [([UInt8], WebSocketViolation)])
    func violations(bytes: [UInt8], violation: WebSocketViolation) {
        #expect(read(bytes) == .violation(violation))
    }

    @Test("Only codes that mean something may stand in a close frame")
    func closeCodes() {
        let allowed = (UInt16(0)...5100).filter(WebSocketCloseCode.isAllowedOnWire)
        #expect(allowed == Array(1000...1003) + Array(1007...1014) + Array(3000...4999))
    }
}

@Suite("WebSocket mask") struct WebSocketMaskTests {
    @Test("Masking is the standard's, whatever the length and the offset") func reference() {
        let mask: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]
        let word = mask.withUnsafeBytes { $0.load(as: UInt32.self) }
        for count in 0..<100 {
            for offset in 0..<5 {
                let plain = (0..<count).map { UInt8($0 &* 7 & 0xff) }
                let expected = plain.enumerated().map { $1 ^ mask[($0 + offset) % 4] }
                var bytes = plain
                bytes.withUnsafeMutableBytes { WebSocketMask.apply(word, offset: offset, to: $0) }
                #expect(bytes == expected)
            }
        }
    }

    @Test("The standard's example") func example() {
        var bytes: [UInt8] = [0x7f, 0x9f, 0x4d, 0x51, 0x58]
        bytes.withUnsafeMutableBytes { WebSocketMask.apply(UInt32(littleEndian: 0x3d21_fa37), offset: 0, to: $0) }
        #expect(bytes == Array("Hello".utf8))
    }

    @Test("Bytes that are not aligned are masked just so") func unaligned() {
        for start in 0..<9 {
            var bytes = [UInt8](repeating: 0, count: 80)
            bytes.withUnsafeMutableBytes {
                WebSocketMask.apply(0x0404_0404, offset: 1, to: UnsafeMutableRawBufferPointer(rebasing: $0[start..<70]))
            }
            #expect(bytes.allSatisfy { $0 == 0 || $0 == 4 })
            #expect(bytes.count { $0 == 4 } == 70 - start)
        }
    }

    @Test("Masks differ from one another") func source() {
        var source = WebSocketMaskSource()
        let masks = Set((0..<1000).map { _ in source.next() })
        #expect(masks.count > 990)
    }
}
