internal import CLibuv
internal import LoopRuntime

/// Connects to a host by whichever of its addresses answers first (RFC 8305): IPv6 and IPv4 take turns, a next attempt starts when the one before
/// has failed or has not answered for a quarter of a second.
final class TCPConnector {
    /// How long an attempt has the field to itself.
    static let headStart = Duration.milliseconds(250)

    private let context: TransportContext
    private var completion: ((Result<TCPTransport, TransportError>) -> Void)?
    private var resolver: HostResolver?
    private var addresses: ArraySlice<SocketAddress> = []
    private var attempts: [TCPConnectAttempt] = []
    private var timer: LoopTimer?

    /// Begins. It has no deadline of its own: its owner calls ``cancel()``.
    ///
    /// - Parameters:
    ///   - host: A name or an address.
    ///   - completion: Called once, in a later turn; not after ``cancel()``. The connection does not read yet.
    init(
        context: TransportContext, host: String, port: UInt16,
        completion: @escaping (Result<TCPTransport, TransportError>) -> Void
    ) {
        self.context = context
        self.completion = completion
        resolver = HostResolver(host: host, port: port, on: context.loop) { [self] in resolved($0) }
    }

    /// Gives up: the completion is not called.
    func cancel() {
        completion = nil
        stop()
    }

    private func resolved(_ result: Result<[SocketAddress], TransportError>) {
        resolver = nil
        switch result {
        case .success(let addresses):
            self.addresses = Self.interleaved(addresses)[...]
            timer = LoopTimer(on: context.loop) { [unowned self] in startNext() }
            startNext()
        case .failure(let error):
            finish(.failure(error))
        }
    }

    private func startNext() {
        guard let address = addresses.popFirst() else { return }
        attempts.append(TCPConnectAttempt(context: context, address: address) { [self] in ended($0, with: $1) })
        if !addresses.isEmpty { timer?.start(after: Self.headStart) }
    }

    private func ended(_ attempt: TCPConnectAttempt, with error: TransportError?) {
        attempts.removeAll { $0 === attempt }
        guard let error else { return finish(.success(attempt.transport)) }
        if !addresses.isEmpty {
            startNext()
        } else if attempts.isEmpty {
            finish(.failure(error))
        }
    }

    private func finish(_ result: Result<TCPTransport, TransportError>) {
        let completion = completion.take()
        stop()
        completion?(result)
    }

    private func stop() {
        timer = nil
        resolver?.cancel()
        resolver = nil
        addresses = []
        for attempt in attempts { attempt.cancel() }
        attempts = []
    }

    /// Keeps the operating system's order within each family, and its choice of the first.
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        let preferred = addresses.filter { $0.family == first.family }
        let other = addresses.filter { $0.family != first.family }
        var result: [SocketAddress] = []
        for index in 0..<max(preferred.count, other.count) {
            if index < preferred.count { result.append(preferred[index]) }
            if index < other.count { result.append(other[index]) }
        }
        return result
    }
}

/// One attempt to connect to one address.
private final class TCPConnectAttempt {
    let transport: TCPTransport
    private let request: UnsafeMutablePointer<uv_connect_t> = .allocate(capacity: 1)
    private var completion: ((TCPConnectAttempt, TransportError?) -> Void)?

    /// - Parameter completion: Called once, in a later turn, with nil for success; not after ``cancel()``.
    init(
        context: TransportContext, address: SocketAddress,
        completion: @escaping (TCPConnectAttempt, TransportError?) -> Void
    ) {
        self.completion = completion
        transport = TCPTransport(context: context)
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()  // released by `finish`
        let status = address.withSockaddr { address in
            uv_tcp_connect(request, transport.handle, address) { request, status in
                guard let data = request?.pointee.data else { return }
                Unmanaged<TCPConnectAttempt>.fromOpaque(data).takeRetainedValue().finish(status)
            }
        }
        if status != 0 {
            let this = LoopBound(self, to: context.loop)
            context.loop.execute {
                Unmanaged.passUnretained(this.value).release()
                this.value.finish(status)
            }
        }
    }

    deinit {
        request.deallocate()
    }

    func cancel() {
        completion = nil
        transport.abort()
    }

    private func finish(_ status: Int32) {
        let completion = completion.take()
        if status == 0 {
            completion?(self, nil)
        } else {
            transport.abort()
            completion?(self, TransportError(status: status, "cannot connect"))
        }
    }
}

extension TCPTransport {
    /// Connects to a host, within ``TransportLimits/connectTimeout``.
    ///
    /// - Parameter completion: Called once, in a later turn. The connection is already reading: set its delegate before returning.
    /// - Returns: Gives up when called; the completion then gets ``TransportError/Code/cancelled``.
    @discardableResult
    package static func connect(
        context: TransportContext, host: String, port: UInt16,
        completion: @escaping (Result<TCPTransport, TransportError>) -> Void
    ) -> () -> Void {
        var timer: LoopTimer?
        var completion: ((Result<TCPTransport, TransportError>) -> Void)? = completion
        func finish(_ result: Result<TCPTransport, TransportError>) {
            timer = nil
            completion.take()?(result)
        }
        let connector = TCPConnector(context: context, host: host, port: port) { result in
            if case .success(let transport) = result { transport.start() }
            finish(result.mapError { TransportError($0.code, "\(host):\(port): \($0.message)") })
        }
        timer = LoopTimer(on: context.loop) {
            connector.cancel()
            finish(.failure(TransportError(.timedOut, "\(host):\(port) did not answer in time")))
        }
        timer?.start(after: context.limits.connectTimeout)
        return {
            connector.cancel()
            finish(.failure(TransportError(.cancelled, "connecting was given up")))
        }
    }
}
