internal import COpenSSL
internal import LoopRuntime

/// A certificate with the chain that vouches for it and the key that belongs to it.
package struct TLSIdentity: Sendable {
    package let certificateChain: [UInt8]
    package let privateKey: [UInt8]

    /// - Parameters:
    ///   - certificateChain: In PEM: the server's own certificate first, then those between it and the root.
    ///   - privateKey: In PEM, without a password.
    package init(certificateChain: [UInt8], privateKey: [UInt8]) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }
}

/// What a server needs for TLS: its identities and the keys of its session tickets. Shared by the loops of all workers.
package final class TLSServerContext: Sendable {
    private let identities: Locked<TLSIdentitySet>

    /// Loads one or several identities. A client that names a host gets the first one whose certificate is for that host,
    /// every other client gets the first.
    ///
    /// - Throws: ``TransportError/Code/invalidCertificate`` with a sentence that says what is wrong with which file.
    package init(_ identities: [TLSIdentity]) throws(TransportError) {
        self.identities = Locked(try TLSIdentitySet(identities))
    }

    /// Replaces the identities for connections that begin from now on. If it throws, nothing has changed.
    package func reload(_ identities: [TLSIdentity]) throws(TransportError) {
        let loaded = try TLSIdentitySet(identities)
        self.identities.withLock { $0 = loaded }
    }

    var current: TLSIdentitySet {
        identities.withLock { $0 }
    }
}

/// What a client needs for TLS: whom it trusts, and the sessions it can resume. Shared by all loops.
package final class TLSClientContext: Sendable {
    /// Sessions of the servers that were used last.
    private static let sessionCountMax = 64

    /// Whom to trust.
    package enum Trust: Sendable {
        /// The roots of the operating system; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
        case system
        /// These certificates, in PEM, and no others.
        case certificates([UInt8])
    }

    let context: TLSContextHandle
    private let sessions = Locked<[(name: String, session: TLSSession)]>([])

    /// - Throws: ``TransportError/Code/invalidCertificate``.
    package init(trust: Trust = .system) throws(TransportError) {
        context = TLSContextHandle(TLS_client_method())
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        switch trust {
        case .system:
            SSL_CTX_set_default_verify_paths(context.pointer)
        case .certificates(let pem):
            let certificates = try TLSPEM.certificates(in: pem, what: "the trusted certificates")
            let store = SSL_CTX_get_cert_store(context.pointer)
            for certificate in certificates { X509_STORE_add_cert(store, certificate.pointer) }
        }
        hd_openssl_set_session_cache_mode(
            context.pointer, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE))
        SSL_CTX_sess_set_new_cb(context.pointer) { ssl, session in
            guard let ssl, let session else { return 0 }
            TLSStateMachine.received(session, on: ssl)
            return 0  // the session is not ours yet
        }
    }

    func session(for name: String) -> TLSSession? {
        sessions.withLock { $0.first { $0.name == name }?.session }
    }

    func keep(_ session: TLSSession, for name: String) {
        sessions.withLock { sessions in
            sessions.removeAll { $0.name == name }
            sessions.append((name, session))
            if sessions.count > Self.sessionCountMax { sessions.removeFirst() }
        }
    }
}

/// Several identities as OpenSSL has them: one context each, of which the first chooses among all.
///
/// `@unchecked Sendable`: set up in `init`, and OpenSSL's contexts may then be used by several threads.
final class TLSIdentitySet: @unchecked Sendable {
    private let contexts: [TLSContextHandle]

    /// Connections are made with this one; the name a client gives may lead to another.
    var first: TLSContextHandle {
        contexts[0]
    }

    init(_ identities: [TLSIdentity]) throws(TransportError) {
        guard !identities.isEmpty else {
            throw TransportError(.invalidCertificate, "a server needs a certificate and its key")
        }
        var contexts: [TLSContextHandle] = []
        for identity in identities { contexts.append(try Self.load(identity)) }
        self.contexts = contexts
        guard contexts.count > 1 else { return }
        // Whoever uses a connection of ours keeps this object, so the unretained reference is good.
        hd_openssl_on_server_name(
            first.pointer,
            { ssl, _, argument in
                guard let ssl, let argument else { return SSL_TLSEXT_ERR_NOACK }
                return Unmanaged<TLSIdentitySet>.fromOpaque(argument).takeUnretainedValue().choose(for: ssl)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func choose(for ssl: OpaquePointer) -> Int32 {
        guard let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return SSL_TLSEXT_ERR_NOACK }
        let fitting = contexts.first { context in
            X509_check_host(SSL_CTX_get0_certificate(context.pointer), name, 0, 0, nil) == 1
        }
        guard let fitting else { return SSL_TLSEXT_ERR_NOACK }
        SSL_set_SSL_CTX(ssl, fitting.pointer)
        return SSL_TLSEXT_ERR_OK
    }

    private static func load(_ identity: TLSIdentity) throws(TransportError) -> TLSContextHandle {
        let context = TLSContextHandle(TLS_server_method())
        let chain = try TLSPEM.certificates(in: identity.certificateChain, what: "the certificate file")
        guard SSL_CTX_use_certificate(context.pointer, chain[0].pointer) == 1 else {
            throw TransportError(.invalidCertificate, "the certificate cannot be used: \(OpenSSL.takeComplaint())")
        }
        for certificate in chain.dropFirst() {
            X509_up_ref(certificate.pointer)
            guard hd_openssl_add_chain_certificate(context.pointer, certificate.pointer) == 1 else {
                X509_free(certificate.pointer)
                throw TransportError(
                    .invalidCertificate, "the certificate chain cannot be used: \(OpenSSL.takeComplaint())")
            }
        }
        try TLSPEM.usePrivateKey(identity.privateKey, in: context)
        configureServer(context.pointer)
        return context
    }

    private static func configureServer(_ context: OpaquePointer) {
        // Tickets carry the sessions; a cache here would cost memory for each client.
        hd_openssl_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        SSL_CTX_set_num_tickets(context, 1)
        let name = Array("hyperdht".utf8)
        SSL_CTX_set_session_id_context(context, name, UInt32(name.count))
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, selected, selectedCount, offered, offeredCount, _ in
                // Points into what the client offered, as OpenSSL wants it.
                guard let choice = TLSProtocols.findHTTP11(in: offered, count: Int(offeredCount)) else {
                    return SSL_TLSEXT_ERR_ALERT_FATAL
                }
                selected?.pointee = choice.baseAddress
                selectedCount?.pointee = UInt8(choice.count)
                return SSL_TLSEXT_ERR_OK
            }, nil)
    }
}

/// Names of application protocols (RFC 7301).
enum TLSProtocols {
    /// The only one that WebSocket's upgrade belongs to, as TLS lists it: its length, then its name.
    static let http11 = [8] + Array("http/1.1".utf8)

    /// Its name's place in a list of that form.
    static func findHTTP11(in list: UnsafePointer<UInt8>?, count: Int) -> UnsafeBufferPointer<UInt8>? {
        let list = UnsafeBufferPointer(start: list, count: count)
        var position = 0
        while position < count {
            let end = position + 1 + Int(list[position])
            guard end <= count else { return nil }
            if list[position..<end].elementsEqual(http11) {
                return UnsafeBufferPointer(rebasing: list[(position + 1)..<end])
            }
            position = end
        }
        return nil
    }
}

/// One of OpenSSL's contexts, set up as everything here uses it.
///
/// `@unchecked Sendable`: OpenSSL counts the references and guards what connections share, once it is set up.
final class TLSContextHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ method: OpaquePointer) {
        guard let context = SSL_CTX_new(method) else { preconditionFailure("OpenSSL has no memory") }
        pointer = context
        _ = hd_openssl_set_minimum_version(context, TLS1_2_VERSION)
        // Of TLS 1.2 only what is forward secret and authenticated; TLS 1.3 has nothing else.
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20")
        SSL_CTX_set_options(context, hd_openssl_options())
        hd_openssl_set_mode(context, hd_openssl_modes())
    }

    deinit {
        SSL_CTX_free(pointer)
    }
}

/// A session that can be resumed.
///
/// `@unchecked Sendable`: OpenSSL counts its references and never changes it once it was handed out.
final class TLSSession: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Adds a reference of its own.
    init(_ session: OpaquePointer) {
        SSL_SESSION_up_ref(session)
        pointer = session
    }

    deinit {
        SSL_SESSION_free(pointer)
    }
}

/// Reading of PEM.
enum TLSPEM {
    /// One certificate.
    final class Certificate {
        let pointer: OpaquePointer

        init(_ pointer: OpaquePointer) {
            self.pointer = pointer
        }

        deinit {
            X509_free(pointer)
        }
    }

    /// All certificates of a text, at least one.
    static func certificates(in pem: [UInt8], what: String) throws(TransportError) -> [Certificate] {
        let certificates = OpenSSL.withReader(of: pem) { reader in
            var certificates: [Certificate] = []
            while let certificate = PEM_read_bio_X509(reader, nil, hd_openssl_no_password, nil) {
                certificates.append(Certificate(certificate))
            }
            return certificates
        }
        let isAtEnd = hd_openssl_is_no_start_line(ERR_peek_last_error()) == 1
        let complaint = OpenSSL.takeComplaint()
        guard isAtEnd else { throw TransportError(.invalidCertificate, "\(what) is damaged: \(complaint)") }
        guard !certificates.isEmpty else {
            throw TransportError(.invalidCertificate, "\(what) holds no certificate in PEM form")
        }
        return certificates
    }

    static func usePrivateKey(_ pem: [UInt8], in context: TLSContextHandle) throws(TransportError) {
        let key = OpenSSL.withReader(of: pem) { PEM_read_bio_PrivateKey($0, nil, hd_openssl_no_password, nil) }
        guard let key else {
            let complaint = OpenSSL.takeComplaint()
            throw TransportError(
                .invalidCertificate, "the key file holds no private key in PEM form without a password: \(complaint)")
        }
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(context.pointer, key) == 1, SSL_CTX_check_private_key(context.pointer) == 1 else {
            _ = OpenSSL.takeComplaint()
            throw TransportError(.invalidCertificate, "the key does not belong to the certificate")
        }
    }
}
