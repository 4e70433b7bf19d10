internal import COpenSSL

/// What OpenSSL reads from and writes to instead of a socket: the bytes that are being fed, and the output.
struct TLSWire {
    /// What was fed and not read yet.
    var input = UnsafeRawBufferPointer(start: nil, count: 0)

    /// Owns the connection, so it outlives the wire.
    unowned(unsafe) let output: any TLSOutput

    /// Told of sessions, on a client.
    var keepsSession: ((TLSSession) -> Void)?

    init(output: any TLSOutput) {
        self.output = output
    }

    /// A BIO of this kind, which the connection will free. The wire must outlive it.
    static func makeBIO(_ wire: UnsafeMutablePointer<TLSWire>) -> OpaquePointer {
        guard let bio = BIO_new(method) else { preconditionFailure("OpenSSL has no memory") }
        BIO_set_data(bio, wire)
        BIO_set_init(bio, 1)
        return bio
    }

    /// Made once and never freed. It is written before anything reads it, and only read from then on.
    private nonisolated(unsafe) static let method: OpaquePointer = {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "loop") else {
            preconditionFailure("OpenSSL has no memory")
        }
        BIO_meth_set_read_ex(method) { bio, buffer, count, readCount in
            hd_openssl_bio_clear_retry(bio)
            guard let bio, let buffer, let wire = TLSWire.of(bio), !wire.pointee.input.isEmpty else {
                hd_openssl_bio_set_retry_read(bio)
                return 0
            }
            let piece = UnsafeRawBufferPointer(rebasing: wire.pointee.input.prefix(count))
            UnsafeMutableRawBufferPointer(start: buffer, count: count).copyMemory(from: piece)
            wire.pointee.input = UnsafeRawBufferPointer(rebasing: wire.pointee.input.dropFirst(piece.count))
            readCount?.pointee = piece.count
            return 1
        }
        BIO_meth_set_write_ex(method) { bio, bytes, count, writtenCount in
            guard let bio, let bytes, let wire = TLSWire.of(bio) else { return 0 }
            wire.pointee.output.send(UnsafeRawBufferPointer(start: bytes, count: count))
            writtenCount?.pointee = count
            return 1
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in
            // Everything that was written has been handed on already.
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
        return method
    }()

    private static func of(_ bio: OpaquePointer) -> UnsafeMutablePointer<TLSWire>? {
        BIO_get_data(bio)?.assumingMemoryBound(to: TLSWire.self)
    }
}
