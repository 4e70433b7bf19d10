import ByteTransport
import Foundation

/// Reads a certificate chain and its key.
func identity(_ certificate: String, _ key: String) throws -> TLSIdentity {
    TLSIdentity(
        certificateChain: [UInt8](try Data(contentsOf: URL(filePath: certificate))),
        privateKey: [UInt8](try Data(contentsOf: URL(filePath: key))))
}

/// Makes a certificate for `localhost` with the `openssl` command.
func makeIdentity() throws -> TLSIdentity {
    try withIdentityFiles { try identity($0, $1) }
}

/// Makes a certificate for `localhost` and its key with the `openssl` command, as files that go away afterwards.
private func withIdentityFiles<Result>(_ body: (String, String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (certificate, key) = (folder.appending(path: "certificate.pem").path, folder.appending(path: "key.pem").path)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return try body(certificate, key)
}
