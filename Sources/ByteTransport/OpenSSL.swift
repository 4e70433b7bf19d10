internal import COpenSSL

/// Small things about OpenSSL that several files need.
enum OpenSSL {
    /// What OpenSSL complained about last on this thread, in its words; forgets all complaints.
    static func takeComplaint() -> String {
        var complaint = ""
        while true {
            let error = ERR_get_error()
            guard error != 0 else { break }
            // The last one says what went wrong at the level we called; those before it say why, further down.
            if let reason = ERR_reason_error_string(error) { complaint = String(cString: reason) }
        }
        return complaint.isEmpty ? "no reason given" : complaint
    }

    /// Lends bytes as a source for OpenSSL's readers.
    static func withReader<Result, Failure: Error>(
        of bytes: [UInt8], _ body: (OpaquePointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let reader = BIO_new_mem_buf(bytes, Int32(clamping: bytes.count)) else {
            preconditionFailure("OpenSSL has no memory")
        }
        defer { BIO_free(reader) }
        return try body(reader)
    }

    static func sha1(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 20) { digest, count in
            let status = hd_openssl_sha1(bytes, bytes.count, digest.baseAddress)
            precondition(status == 1, "this OpenSSL forbids SHA-1, which WebSocket needs (not for security)")
            count = 20
        }
    }
}
