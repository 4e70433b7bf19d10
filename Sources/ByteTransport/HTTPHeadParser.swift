/// Reads the head of one HTTP/1.1 message out of bytes that arrive in pieces (RFC 9112), without any input or output.
///
/// Strict: lines end with CR LF, names are tokens right before their colon, nothing is folded. So no proxy before us can see another message.
struct HTTPHeadParser {
    /// Why a message is refused.
    enum Failure: Error, Equatable {
        case tooLarge, tooManyFields, malformed, unsupportedVersion
    }

    /// The start line and the fields.
    struct Head: Equatable {
        var startLine: String
        var fields: HTTPFields
    }

    private let byteCountMax: Int
    private let fieldCountMax: Int
    private var bytes: [UInt8] = []

    init(byteCountMax: Int, fieldCountMax: Int) {
        self.byteCountMax = byteCountMax
        self.fieldCountMax = fieldCountMax
    }

    /// Takes the next bytes.
    ///
    /// - Returns: The head once it is whole, and how many of `piece` belong to it; nil when more is needed.
    mutating func feed(_ piece: UnsafeRawBufferPointer) throws(Failure) -> (head: Head, consumed: Int)? {
        let before = bytes.count
        bytes.append(contentsOf: piece.prefix(byteCountMax + 1 - before))
        guard let end = endOfHead(from: max(before - 3, 0)) else {
            // What will never be a head is refused before it is whole, so that a client of another protocol learns it at once.
            if !Self.mayBeHead(bytes) { throw .malformed }
            if bytes.count > byteCountMax { throw .tooLarge }
            return nil
        }
        guard end <= byteCountMax else { throw .tooLarge }
        return (try parse(bytes[..<(end - 4)]), end - before)
    }

    /// The position behind the empty line.
    private func endOfHead(from start: Int) -> Int? {
        var position = start
        while position + 4 <= bytes.count {
            if bytes[position] == 13, bytes[position + 1] == 10, bytes[position + 2] == 13, bytes[position + 3] == 10 {
                return position + 4
            }
            position += 1
        }
        return nil
    }

    /// A start line begins with a letter; bytes of TLS or of another protocol mostly do not.
    private static func mayBeHead(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first else { return true }
        return (65...90).contains(first)
    }

    private func parse(_ head: ArraySlice<UInt8>) throws(Failure) -> Head {
        var lines = try Self.lines(of: head)[...]
        guard let startLine = lines.popFirst(), lines.count <= fieldCountMax else { throw .tooManyFields }
        var fields = HTTPFields()
        for line in lines {
            guard let colon = line.firstIndex(of: 58), colon > line.startIndex else { throw .malformed }
            guard line[..<colon].allSatisfy(Self.isToken) else { throw .malformed }
            let value = String(decoding: line[(colon + 1)...], as: UTF8.self).trimmingSpaces()
            fields.append(String(decoding: line[..<colon], as: UTF8.self), value)
        }
        return Head(startLine: String(decoding: startLine, as: UTF8.self), fields: fields)
    }

    /// Splits at CR LF. No other control character but the tab may stand anywhere.
    private static func lines(of head: ArraySlice<UInt8>) throws(Failure) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = head.startIndex
        var position = start
        while position < head.endIndex {
            let byte = head[position]
            if byte == 13 {
                guard position + 1 < head.endIndex, head[position + 1] == 10 else { throw .malformed }
                lines.append(head[start..<position])
                position += 2
                start = position
                continue
            }
            guard byte == 9 || (byte >= 32 && byte != 127) else { throw .malformed }
            position += 1
        }
        lines.append(head[start...])
        return lines
    }

    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        case 33, 35, 36, 37, 38, 39, 42, 43, 45, 46, 94, 95, 96, 124, 126: true
        default: false
        }
    }
}

extension HTTPRequest {
    /// Reads a request's start line.
    init(_ head: HTTPHeadParser.Head) throws(HTTPHeadParser.Failure) {
        let parts = head.startLine.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].utf8.allSatisfy(HTTPHeadParser.isToken) else {
            throw .malformed
        }
        guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { throw .malformed }
        guard parts[2].hasPrefix("HTTP/") else { throw .malformed }
        guard parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0" else { throw .unsupportedVersion }
        guard parts[2] == "HTTP/1.0" || head.fields.single("host") != nil else { throw .malformed }
        let minorVersion = parts[2] == "HTTP/1.1" ? 1 : 0
        self.init(method: String(parts[0]), target: String(parts[1]), minorVersion: minorVersion, fields: head.fields)
    }
}

/// A response's start line.
struct HTTPStatusLine: Equatable {
    let status: Int

    init(_ startLine: String) throws(HTTPHeadParser.Failure) {
        let parts = startLine.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1.") else { throw .malformed }
        guard parts[1].utf8.count == 3, let status = Int(parts[1]), (100...599).contains(status) else {
            throw .malformed
        }
        self.status = status
    }
}
