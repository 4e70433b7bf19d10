internal import CLibuv
internal import LoopRuntime

/// Asks the operating system for the addresses of a host, on one of libuv's helper threads.
final class HostResolver {
    private let request: UnsafeMutablePointer<uv_getaddrinfo_t> = .allocate(capacity: 1)
    private let port: UInt16
    private var completion: ((Result<[SocketAddress], TransportError>) -> Void)?

    /// - Parameter completion: Called once, in a later turn, with at least one address or an error; not after ``cancel()``.
    init(
        host: String, port: UInt16, on loop: LoopExecutor,
        completion: @escaping (Result<[SocketAddress], TransportError>) -> Void
    ) {
        self.port = port
        self.completion = completion
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()  // released by `finish`
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        let status = uv_getaddrinfo(
            loop.uvLoop, request,
            { request, status, addresses in
                guard let data = request?.pointee.data else { return }
                Unmanaged<HostResolver>.fromOpaque(data).takeRetainedValue().finish(status, addresses, "no such host")
            }, host, nil, &hints)
        if status != 0 {
            // A name that no resolver can be asked for. Told later, as every other outcome.
            let this = LoopBound(self, to: loop)
            loop.execute {
                Unmanaged.passUnretained(this.value).release()
                this.value.finish(status, nil, "no such host")
            }
        }
    }

    deinit {
        request.deallocate()
    }

    /// Gives up: the completion is not called.
    func cancel() {
        completion = nil
        UnsafeMutableRawPointer(request).withMemoryRebound(to: uv_req_t.self, capacity: 1) { _ = uv_cancel($0) }
    }

    private func finish(_ status: Int32, _ list: UnsafeMutablePointer<addrinfo>?, _ what: String) {
        defer { uv_freeaddrinfo(list) }
        guard let completion = completion.take() else { return }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let address = SocketAddress(entry.pointee.ai_addr) { addresses.append(address.with(port: port)) }
            next = entry.pointee.ai_next
        }
        if status == 0, !addresses.isEmpty {
            completion(.success(addresses))
        } else {
            completion(.failure(TransportError(status: status == 0 ? UV_EAI_NODATA.rawValue : status, what)))
        }
    }
}
