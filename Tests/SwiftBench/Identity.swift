import ByteTransport
import Foundation

/// Reads a certificate chain and its key.
func identity(_ certificate: String, _ key: String) throws -> TLSIdentity {
    TLSIdentity(
        certificateChain: [UInt8](try Data(contentsOf: URL(filePath: certificate))),
        privateKey: [UInt8](try Data(contentsOf: URL(filePath: key))))
}
