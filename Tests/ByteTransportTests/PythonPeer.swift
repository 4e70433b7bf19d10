import Foundation
import LoopRuntime

/// PyPI's `websockets` in a virtual environment of its own, beside the build.
enum PythonPeer {
    /// Nil when it can be used, or why not. Found out once, by installing it, which takes some seconds in a new clone.
    static let obstacle: String? = {
        let reason = install()
        if let reason { print("Skipped, tests with PyPI's websockets: \(reason)") }
        return reason
    }()

    private static let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
    private static let environment = package.appending(path: ".build/interop/websockets")
    private static let script = package.appending(path: "Tests/interop/websocket_peer.py")
    private static let python = environment.appending(path: "bin/python3")

    private static func install() -> String? {
        guard !isInstalled else { return nil }
        let made = run("/usr/bin/env", ["python3", "-m", "venv", environment.path])
        guard made.status == 0 else { return "python3 -m venv failed: \(made.lastLine)" }
        let arguments = ["-m", "pip", "install", "--quiet", "--retries", "0", "--timeout", "10", "websockets>=14"]
        let installed = run(python.path, arguments)
        return installed.status == 0 ? nil : "PyPI did not give it: \(installed.lastLine)"
    }

    private static var isInstalled: Bool {
        FileManager.default.isExecutableFile(atPath: python.path)
            && run(python.path, ["-c", "import websockets.asyncio.server"]).status == 0
    }

    /// Runs a program to its end.
    private static func run(
        _ program: String, _ arguments: [String], mergesErrors: Bool = true
    ) -> (status: Int32, lastLine: String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = mergesErrors ? output : FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            return (-1, "\(error)")
        }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text.split(separator: "\n").last.map(String.init) ?? "")
    }

    /// Runs every scenario of a client against a URL; its last words, which are `ok` when all went well.
    static func runClient(_ url: String, certificateAuthority: String? = nil) async -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let arguments = [script.path, "client", url] + [certificateAuthority].compactMap(\.self)
                continuation.resume(returning: run(python.path, arguments, mergesErrors: false).lastLine)
            }
        }
    }

    /// A server that runs until it is stopped.
    final class Server: Sendable {
        let port: UInt16
        private let process: Process
        private let input: Pipe

        private init(port: UInt16, process: Process, input: Pipe) {
            self.port = port
            self.process = process
            self.input = input
        }

        /// - Parameter files: A certificate chain and its key, for `wss`.
        static func start(_ files: [String] = []) async throws -> Server {
            let process = Process()
            process.executableURL = python
            process.arguments = [script.path, "server"] + files
            let (input, output) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            let line = await withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    continuation.resume(
                        returning: String(decoding: output.fileHandleForReading.availableData, as: UTF8.self))
                }
            }
            guard let port = UInt16(line.split(separator: "\n").first ?? "") else { throw CocoaError(.fileReadUnknown) }
            return Server(port: port, process: process, input: input)
        }

        func stop() {
            try? input.fileHandleForWriting.close()
            process.terminate()
        }
    }

    /// A file for the time of a test.
    static func withFile<Result>(_ bytes: [UInt8], _ body: (String) async throws -> Result) async throws -> Result {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).pem")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await body(file.path)
    }
}
