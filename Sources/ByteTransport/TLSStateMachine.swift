internal import COpenSSL

/// Takes what TLS wants to send to the peer.
protocol TLSOutput: AnyObject {
    func send(_ ciphertext: UnsafeRawBufferPointer)
}

/// One TLS connection (1.2 or 1.3) as a value that bytes go into and come out of; OpenSSL does the work.
///
/// Feed it what the peer sent, then ask for ``next(into:)`` until it needs more; only then may it be fed again. What it has to
/// say to the peer goes to the ``TLSOutput`` at once, within the calls.
struct TLSStateMachine: ~Copyable {
    /// What came of the bytes.
    enum Event: Equatable {
        case needsInput
        /// The handshake is done; what waited can be sent.
        case established
        /// So many bytes of plaintext are in the buffer.
        case plaintext(Int)
        /// The peer will send nothing more, and says so under encryption.
        case ended
        case failed(TransportError)
    }

    private enum State {
        case handshaking
        case open
        case failed
    }

    private let ssl: OpaquePointer
    private let wire: UnsafeMutablePointer<TLSWire>
    /// Keeps what the connection refers to without counting.
    private let owner: AnyObject
    private var state = State.handshaking
    private var hasPeerEnded = false
    private var hasFinished = false

    /// The server's side.
    init(server: TLSServerContext, output: any TLSOutput) {
        let identities = server.current
        self.init(identities.first, owner: identities, wire: TLSWire(output: output))
        SSL_set_accept_state(ssl)
    }

    /// The client's side. It says hello when it is first asked for ``next(into:)``.
    ///
    /// - Parameter host: The name or address whose certificate the server must have.
    init(client: TLSClientContext, host: String, output: any TLSOutput) {
        self.init(client.context, owner: client, wire: TLSWire(output: output))
        wire.pointee.keepsSession = { [unowned client] session in client.keep(session, for: host) }
        SSL_set_connect_state(ssl)
        if SocketAddress(host: host, port: 0) == nil {
            _ = hd_openssl_set_server_name(ssl, host)
            SSL_set1_host(ssl, host)
        } else {
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host)
        }
        SSL_set_alpn_protos(ssl, TLSProtocols.http11, UInt32(TLSProtocols.http11.count))
        if let session = client.session(for: host) { SSL_set_session(ssl, session.pointer) }
    }

    private init(_ context: TLSContextHandle, owner: AnyObject, wire: TLSWire) {
        guard let ssl = SSL_new(context.pointer) else { preconditionFailure("OpenSSL has no memory") }
        self.ssl = ssl
        self.owner = owner
        self.wire = .allocate(capacity: 1)
        self.wire.initialize(to: wire)
        let bio = TLSWire.makeBIO(self.wire)
        SSL_set_bio(ssl, bio, bio)
        SSL_set_ex_data(ssl, 0, self.wire)
    }

    deinit {
        SSL_free(ssl)
        wire.deinitialize(count: 1)
        wire.deallocate()
    }

    /// For example `TLSv1.3`.
    var version: String {
        String(cString: SSL_get_version(ssl))
    }

    /// Whether an earlier session was taken up again.
    var isResumed: Bool {
        SSL_session_reused(ssl) == 1
    }

    /// The application protocol both sides agreed on.
    var applicationProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        return name.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(count)), as: UTF8.self) }
    }

    /// Whether ``send(_:)`` may be called.
    var isOpen: Bool {
        state == .open
    }

    /// Takes bytes of the peer, which must stay until ``next(into:)`` needs input.
    mutating func feed(_ ciphertext: UnsafeRawBufferPointer) {
        precondition(wire.pointee.input.isEmpty, "what was fed before has not been looked at")
        wire.pointee.input = ciphertext
    }

    /// Looks at what was fed, as far as it takes to say something.
    mutating func next(into plaintext: UnsafeMutableRawBufferPointer) -> Event {
        switch state {
        case .handshaking: shakeHands()
        case .open: read(into: plaintext)
        case .failed: drain()
        }
    }

    /// Encrypts and sends plaintext, in records of up to 16 KiB. Once open.
    mutating func send(_ plaintext: UnsafeRawBufferPointer) throws(TransportError) {
        precondition(isOpen)
        var rest = plaintext
        while !rest.isEmpty {
            var count = 0
            ERR_clear_error()
            guard SSL_write_ex(ssl, rest.baseAddress, rest.count, &count) == 1 else {
                state = .failed
                throw failure(0)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Tells the peer, under encryption, that nothing more comes.
    mutating func finish() {
        guard isOpen, !hasFinished else { return }
        hasFinished = true
        ERR_clear_error()
        SSL_shutdown(ssl)
    }

    /// Called within OpenSSL's calls when a server gave a client a session.
    static func received(_ session: OpaquePointer, on ssl: OpaquePointer) {
        let wire = SSL_get_ex_data(ssl, 0)?.assumingMemoryBound(to: TLSWire.self)
        wire?.pointee.keepsSession?(TLSSession(session))
    }
}

extension TLSStateMachine {
    private mutating func shakeHands() -> Event {
        ERR_clear_error()
        let status = SSL_do_handshake(ssl)
        if status == 1 {
            state = .open
            return .established
        }
        return stopped(status)
    }

    private mutating func read(into plaintext: UnsafeMutableRawBufferPointer) -> Event {
        guard !hasPeerEnded else { return drain() }
        var filled = 0
        // Several small records make one delivery.
        while filled < plaintext.count {
            var count = 0
            ERR_clear_error()
            let status = SSL_read_ex(ssl, plaintext.baseAddress.map { $0 + filled }, plaintext.count - filled, &count)
            guard status == 1 else {
                // What ended the reading is said again by the next call.
                return filled > 0 ? .plaintext(filled) : stopped(status)
            }
            filled += count
        }
        return .plaintext(filled)
    }

    private mutating func stopped(_ status: Int32) -> Event {
        switch SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ:
            return .needsInput
        case SSL_ERROR_ZERO_RETURN:
            hasPeerEnded = true
            return .ended
        default:
            state = .failed
            return .failed(failure(status))
        }
    }

    /// After the end nothing is looked at any more.
    private mutating func drain() -> Event {
        wire.pointee.input = UnsafeRawBufferPointer(start: nil, count: 0)
        return .needsInput
    }

    private func failure(_ status: Int32) -> TransportError {
        let verification = SSL_get_verify_result(ssl)
        let complaint = OpenSSL.takeComplaint()
        if verification != Int(X509_V_OK) {
            let why = String(cString: X509_verify_cert_error_string(verification))
            return TransportError(.certificateRejected, "the server's certificate is refused: \(why)")
        }
        return TransportError(.tlsFailed, "TLS failed: \(complaint)")
    }
}
