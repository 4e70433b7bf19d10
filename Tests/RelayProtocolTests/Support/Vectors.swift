import Foundation
import Testing

/// A JSON object of a vector file.
struct Vector: CustomTestStringConvertible, @unchecked Sendable {  // nothing changes what was parsed
    let fields: [String: Any]

    init(_ fields: [String: Any]) {
        self.fields = fields
    }

    var testDescription: String { text("name") ?? "?" }

    func text(_ key: String) -> String? { fields[key] as? String }

    func integer(_ key: String) -> Int? { (fields[key] as? NSNumber)?.intValue }

    func flag(_ key: String) -> Bool { (fields[key] as? NSNumber)?.boolValue ?? false }

    func object(_ key: String) -> Vector? { (fields[key] as? [String: Any]).map(Vector.init) }

    func texts(_ key: String) -> [String]? { fields[key] as? [String] }

    func objects(_ key: String) -> [Vector]? { (fields[key] as? [[String: Any]])?.map(Vector.init) }

    func bytes(_ key: String) throws -> [UInt8]? { try text(key).map(RelayProtocolTests.bytes(fromHex:)) }
}

/// The recorded conversations and messages that come with the sources.
enum Vectors {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("vectors")

    static func cases(_ file: String) -> [Vector] {
        guard let data = try? Data(contentsOf: folder.appendingPathComponent(file)),
            let json = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        else { return [] }
        return Vector(json).objects("cases") ?? []
    }

    static func lines(_ file: String) throws -> [Vector] {
        let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            let json = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return Vector(try #require(json))
        }
    }
}
