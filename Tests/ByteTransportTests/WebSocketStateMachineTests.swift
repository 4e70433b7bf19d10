import Testing

@testable import ByteTransport

/// What a machine said, with copies of the bytes it lent.
private enum Said: Equatable {
    case message([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case close(CloseNotice?)
    case violation(WebSocketViolation)
}

/// Feeds bytes to a machine, in pieces, and notes what it says.
private struct Listener: ~Copyable {
    private var machine: WebSocketStateMachine

    init(_ role: WebSocketStateMachine.Role = .client, messageByteCountMax: Int = 1000) {
        machine = WebSocketStateMachine(role: role, messageByteCountMax: messageByteCountMax)
    }

    mutating func hear(_ bytes: [UInt8], inPiecesOf pieceByteCount: Int = Int.max) -> [Said] {
        var said: [Said] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, pieceByteCount > bytes.count ? bytes.count : start + pieceByteCount)
            // Memory of its own for each piece, so that the sanitizer sees whoever reads past it or later.
            let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: end - start, alignment: 1)
            defer { piece.deallocate() }
            piece.copyBytes(from: bytes[start..<end])
            machine.feed(piece)
            said += listen()
            start = end
        }
        return said
    }

    private mutating func listen() -> [Said] {
        var said: [Said] = []
        while true {
            switch machine.next() {
            case .needsInput: return said
            case .message(let bytes): said.append(.message(Array(bytes)))
            case .ping(let bytes): said.append(.ping(Array(bytes)))
            case .pong(let bytes): said.append(.pong(Array(bytes)))
            case .close(let notice): said.append(.close(notice))
            case .violation(let violation): said.append(.violation(violation))
            }
        }
    }
}

/// A frame as a peer sends it.
private func frame(
    _ opcode: WebSocketFrame.Opcode, _ payload: [UInt8] = [], isFinal: Bool = true, mask: UInt32? = nil
) -> [UInt8] {
    let frame = WebSocketFrame(opcode: opcode, isFinal: isFinal, payloadByteCount: payload.count, mask: mask)
    var bytes = [UInt8](repeating: 0, count: frame.headerByteCount) + payload
    bytes.withUnsafeMutableBytes { bytes in
        frame.write(to: bytes)
        guard let mask else { return }
        WebSocketMask.apply(
            mask, offset: 0, to: UnsafeMutableRawBufferPointer(rebasing: bytes[frame.headerByteCount...]))
    }
    return bytes
}

@Suite("WebSocket state machine") struct WebSocketStateMachineTests {
    @Test("A message arrives whole, however it is cut", arguments: [0, 1, 125, 126, 127, 128, 65535, 65536])
    func sizes(count: Int) {
        let payload = pattern(count)
        for mask in [nil, UInt32(0x1234_5678)] {
            let bytes = frame(.binary, payload, mask: mask)
            for piece in [1, 2, 3, 5, 997, 1448, Int.max] where piece > 1 || count < 1000 {
                var listener = Listener(mask == nil ? .client : .server, messageByteCountMax: 70000)
                #expect(listener.hear(bytes, inPiecesOf: piece) == [.message(payload)])
            }
        }
    }

    @Test("Messages that arrive together come one by one") func together() {
        var listener = Listener()
        let bytes =
            frame(.binary, [1]) + frame(.ping, [2]) + frame(.binary, [3, 3]) + frame(.pong) + frame(.binary, [])
        #expect(listener.hear(bytes) == [.message([1]), .ping([2]), .message([3, 3]), .pong([]), .message([])])
    }

    @Test("Fragments make one message, with control frames between them, however it is cut", arguments: 1...40)
    func fragments(piece: Int) {
        let mask: UInt32 = 0xa1b2_c3d4
        let bytes =
            frame(.binary, [1, 2], isFinal: false, mask: mask) + frame(.ping, [9], mask: mask)
            + frame(.continuation, [], isFinal: false, mask: mask)
            + frame(.continuation, [3], isFinal: false, mask: mask)
            + frame(.pong, pattern(125), mask: mask) + frame(.continuation, [4, 5], mask: mask)
            + frame(.binary, [6], mask: mask)
        var listener = Listener(.server)
        let said: [Said] = [.ping([9]), .pong(pattern(125)), .message([1, 2, 3, 4, 5]), .message([6])]
        #expect(listener.hear(bytes, inPiecesOf: piece) == said)
    }

    @Test("The standard's examples") func examples() {
        var client = Listener(.client)
        let ping: [UInt8] = [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]
        let binary256: [UInt8] = [0x82, 0x7e, 0x01, 0x00] + pattern(256)
        let binary64k: [UInt8] = [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0] + pattern(65536)
        #expect(client.hear(ping + binary256) == [.ping(Array("Hello".utf8)), .message(pattern(256))])
        var large = Listener(.client, messageByteCountMax: 65536)
        #expect(large.hear(binary64k) == [.message(pattern(65536))])
        var server = Listener(.server)
        let maskedPong: [UInt8] = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]
        #expect(server.hear(maskedPong) == [.pong(Array("Hello".utf8))])
        // Text, whole, masked and fragmented: refused politely.
        #expect(client.hear([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]) == [.violation(.textMessage)])
        #expect(
            server.hear([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]) == [
                .violation(.textMessage)
            ])
        var another = Listener(.client)
        #expect(another.hear([0x01, 0x03, 0x48, 0x65, 0x6c]) == [.violation(.textMessage)])
    }

    @Test("A message of the limit is taken, one byte more is not") func limit() {
        var exact = Listener()
        #expect(exact.hear(frame(.binary, pattern(1000))) == [.message(pattern(1000))])
        var one = Listener()
        #expect(one.hear(frame(.binary, pattern(1001))) == [.violation(.messageTooLarge)])
        // As soon as it is announced, before a byte of it has come.
        var announced = Listener()
        #expect(announced.hear([0x82, 0x7e, 0x03, 0xe9]) == [.violation(.messageTooLarge)])
        var huge = Listener(messageByteCountMax: Int.max - 1)
        #expect(
            huge.hear([0x82, 0x7f] + [UInt8](repeating: 0xff, count: 8).enumerated().map { $0 == 0 ? 0x7f : $1 }) == [
                .violation(.messageTooLarge)
            ])
    }

    @Test("The limit is for all fragments together") func limitOfFragments() {
        var exact = Listener()
        let halves = frame(.binary, pattern(500), isFinal: false)
        #expect(exact.hear(halves + frame(.continuation, pattern(500))) == [.message(pattern(500) + pattern(500))])
        // The next message has the whole limit again.
        #expect(exact.hear(frame(.binary, pattern(1000))) == [.message(pattern(1000))])
        var one = Listener()
        #expect(one.hear(halves + frame(.continuation, pattern(501))) == [.violation(.messageTooLarge)])
    }

    @Test("Memory follows the bytes, not what was announced") func announcedLength() {
        // A terabyte announced and a little sent: it waits for the rest, and would have been killed otherwise.
        var listener = Listener(messageByteCountMax: 1 << 40)
        #expect(listener.hear([0x82, 0x7f, 0, 0, 1, 0, 0, 0, 0, 0] + pattern(100_000), inPiecesOf: 1000) == [])
    }

    @Test("A server wants masks, a client does not") func masks() {
        var server = Listener(.server)
        #expect(server.hear(frame(.binary, [1])) == [.violation(.missingMask)])
        var client = Listener(.client)
        #expect(client.hear(frame(.ping, [1], mask: 0)) == [.violation(.unexpectedMask)])
    }

    @Test("Fragments out of order are a violation") func order() {
        var first = Listener()
        #expect(first.hear(frame(.continuation, [1])) == [.violation(.unexpectedContinuation)])
        var second = Listener()
        let bytes = frame(.binary, [1], isFinal: false) + frame(.binary, [2])
        #expect(second.hear(bytes) == [.violation(.missingContinuation)])
        var third = Listener()
        #expect(
            third.hear(frame(.binary, [1], isFinal: false) + frame(.text, [2])) == [.violation(.missingContinuation)])
        var fourth = Listener()
        let done = frame(.binary, [1], isFinal: false) + frame(.continuation, [2])
        #expect(
            fourth.hear(done + frame(.continuation, [3])) == [.message([1, 2]), .violation(.unexpectedContinuation)])
    }

    @Test("Nothing is heard after a violation") func afterViolation() {
        var listener = Listener()
        #expect(listener.hear(frame(.text) + frame(.binary, [1])) == [.violation(.textMessage)])
        #expect(listener.hear(frame(.binary, [1])) == [])
    }

    @Test(
        "A close frame says why, or nothing",
        arguments: [
            ([], .close(nil)),
            ([0x03, 0xe8], .close(CloseNotice(code: 1000))),
            ([0x03, 0xe9] + Array("bye ä€😀".utf8), .close(CloseNotice(code: 1001, reason: "bye ä€😀"))),
            ([0x0b, 0xb8], .close(CloseNotice(code: 3000))), ([0x13, 0x87], .close(CloseNotice(code: 4999))),
            (
                [0x03, 0xe8] + [UInt8](repeating: 0x61, count: 123),
                .close(CloseNotice(code: 1000, reason: String(repeating: "a", count: 123)))
            ),
            ([0x03], .violation(.malformedClose)),
            ([0x03, 0xe7], .violation(.invalidCloseCode)), ([0x00, 0x00], .violation(.invalidCloseCode)),
            ([0x03, 0xec], .violation(.invalidCloseCode)), ([0x03, 0xed], .violation(.invalidCloseCode)),
            ([0x03, 0xee], .violation(.invalidCloseCode)), ([0x03, 0xf7], .violation(.invalidCloseCode)),
            ([0x0b, 0xb7], .violation(.invalidCloseCode)), ([0x13, 0x88], .violation(.invalidCloseCode)),
            ([0xff, 0xff], .violation(.invalidCloseCode)),
        ] as [([UInt8], Said)])
    fileprivate func close(payload: [UInt8], said: Said) {
        for piece in [1, Int.max] {
            var listener = Listener(.server)
            let bytes = frame(.close, payload, mask: 7) + frame(.binary, [1], mask: 7)
            #expect(listener.hear(bytes, inPiecesOf: piece) == [said])
        }
    }

    @Test(
        "A close reason is UTF-8",
        arguments: [
            [0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xcf, 0x83, 0xce, 0xbc, 0xce, 0xb5, 0xed, 0xa0, 0x80], [0xff], [0xc0, 0xaf],
            [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xed, 0xa0, 0x80],
        ] as [[UInt8]])
    func reason(bytes: [UInt8]) {
        var listener = Listener()
        #expect(listener.hear(frame(.close, [0x03, 0xe8] + bytes)) == [.violation(.invalidCloseReason)])
    }

    @Test("What is sent after a close frame is not looked at") func afterClose() {
        var listener = Listener()
        #expect(listener.hear(frame(.close) + frame(.ping) + [0xff, 0xff]) == [.close(nil)])
        #expect(listener.hear([0xff]) == [])
    }

    @Test("A reason is cut to what a frame carries, at a whole character") func reasonLength() {
        #expect(CloseNotice(code: 1000, reason: String(repeating: "ä", count: 62)).reason.utf8.count == 122)
        #expect(CloseNotice(code: 1000, reason: String(repeating: "a", count: 124)).reason.utf8.count == 123)
    }

    @Test("Any bytes at all lead to messages or to one violation", arguments: 0..<200) func anyBytes(seed: UInt64) {
        var generator = SplitMix(state: seed)
        var bytes: [UInt8] = []
        // Half valid, so that it gets somewhere.
        for _ in 0..<20 {
            if Bool.random(using: &generator) {
                let opcode = [WebSocketFrame.Opcode.binary, .ping, .pong, .continuation].randomElement(
                    using: &generator)
                bytes += frame(
                    opcode ?? .ping, pattern(Int.random(in: 0..<200, using: &generator)),
                    isFinal: .random(using: &generator))
            } else {
                bytes += (0..<Int.random(in: 0..<4, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
            }
        }
        var whole = Listener()
        var bytewise = Listener()
        let said = whole.hear(bytes)
        #expect(bytewise.hear(bytes, inPiecesOf: 1) == said)
        let ends = said.count { if case .violation = $0 { true } else if case .close = $0 { true } else { false } }
        #expect(ends <= 1)
    }
}

/// Numbers that repeat with their seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
