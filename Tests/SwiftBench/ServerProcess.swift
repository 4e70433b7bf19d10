import ByteTransport
import Foundation

/// This program again, as an echo server in a process of its own, whose memory nobody else uses.
final class ServerProcess: Sendable {
    let port: UInt16
    private let process: Process
    private let folder: URL

    init(_ kind: EchoServer.Kind, _ identity: TLSIdentity) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let files = [folder.appending(path: "certificate.pem"), folder.appending(path: "key.pem")]
        try Data(identity.certificateChain).write(to: files[0])
        try Data(identity.privateKey).write(to: files[1])
        process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["serve", "0"] + (kind == .wss ? files.map(\.path) : [])
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = line.split(whereSeparator: { ":\n".contains($0) }).last.flatMap({ UInt16($0) }) else {
            throw CocoaError(.fileReadUnknown)
        }
        self.port = port
    }

    /// Linux only; 0 elsewhere.
    var residentByteCount: Int {
        let text = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8)
        let pages = text?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }
}
