internal import CLibuv
internal import LoopRuntime

/// Accepts TCP connections.
package final class TCPListener {
    /// How a listener binds.
    package struct Options: Sendable {
        /// Lets several listeners, one a worker, share the port; the operating system spreads connections over them.
        package var sharesPort = false

        /// An IPv6 listener takes IPv6 connections only. Otherwise `::` takes both kinds.
        package var isIPv6Only = false

        /// Connections that the operating system holds for us while we are busy; beyond that it refuses or drops them.
        package var backlog: Int32 = 511

        package init() {}
    }

    private let context: TransportContext
    private let onConnection: (TCPTransport) -> Void
    private let handle: UnsafeMutablePointer<uv_tcp_t>
    private var isAccepting = true
    /// libuv accepts one connection ahead; this one waits for us to take it, and no other comes until we do.
    private var hasConnectionWaiting = false
    private var isClosed = false
    private var whenClosed: () -> Void = {}

    /// Where it listens, with the port the operating system chose if 0 was asked for.
    package private(set) var address: SocketAddress

    /// Binds and listens.
    ///
    /// - Parameter onConnection: Called with each connection, which is already reading: set its delegate before returning. It keeps
    ///   the owner alive only if it captures it strongly.
    /// - Throws: ``TransportError/Code/addressInUse``, `addressNotAvailable`, `permissionDenied`, `tooManyOpenFiles`, `system`.
    package init(
        context: TransportContext, address: SocketAddress, options: Options = Options(),
        onConnection: @escaping (TCPTransport) -> Void
    ) throws(TransportError) {
        context.loop.preconditionIsCurrent()
        self.context = context
        self.address = address
        self.onConnection = onConnection
        handle = .allocate(capacity: 1)
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        var status = uv_tcp_init_ex(context.loop.uvLoop, handle, UInt32(family))
        guard status == 0 else {
            handle.pointee.data = nil
            isClosed = true
            throw TransportError(status: status, "no socket")
        }
        handle.pointee.data = Unmanaged.passUnretained(self).toOpaque()  // the context keeps it until it is closed
        context.add(self)
        status = bind(options)
        guard status == 0 else {
            close()
            throw TransportError(status: status, "cannot listen at \(address)")
        }
        self.address = boundAddress ?? address
    }

    deinit {
        handle.deallocate()
    }

    /// Listens on all addresses of the machine, IPv4 and IPv6 if it has both.
    package static func onAllAddresses(
        context: TransportContext, port: UInt16, options: Options = Options(),
        onConnection: @escaping (TCPTransport) -> Void
    ) throws(TransportError) -> TCPListener {
        guard let any6 = SocketAddress(host: "::", port: port), let any4 = SocketAddress(host: "0.0.0.0", port: port)
        else {
            preconditionFailure("both are addresses")
        }
        do {
            return try TCPListener(context: context, address: any6, options: options, onConnection: onConnection)
        } catch  where error.code == .system || error.code == .addressNotAvailable {
            // A machine without IPv6.
            return try TCPListener(context: context, address: any4, options: options, onConnection: onConnection)
        }
    }

    /// Lets new connections wait in the operating system. One that already is on its way may still come.
    package func pauseAccepting() {
        isAccepting = false
    }

    /// Goes on with new connections.
    package func resumeAccepting() {
        isAccepting = true
        guard hasConnectionWaiting else { return }
        hasConnectionWaiting = false
        accept()
    }

    /// Stops listening at once. Connections that were accepted are not touched.
    ///
    /// - Parameter whenClosed: Called in a later turn, when the port is free.
    package func close(_ whenClosed: @escaping () -> Void = {}) {
        guard !isClosed else { return }
        isClosed = true
        self.whenClosed = whenClosed
        UnsafeMutableRawPointer(handle).withMemoryRebound(to: uv_handle_t.self, capacity: 1) { handle in
            uv_close(handle) { handle in
                guard let data = handle?.pointee.data else { return }
                let listener = Unmanaged<TCPListener>.fromOpaque(data).takeUnretainedValue()
                listener.context.remove(listener)
                listener.whenClosed()
            }
        }
    }

    private func bind(_ options: Options) -> Int32 {
        if options.sharesPort {
            let status = hd_uv_share_port(handle)
            guard status == 0 else { return status }
        }
        let flags = options.isIPv6Only ? UV_TCP_IPV6ONLY.rawValue : 0
        let status = address.withSockaddr { uv_tcp_bind(handle, $0, flags) }
        guard status == 0 else { return status }
        return UnsafeMutableRawPointer(handle).withMemoryRebound(to: uv_stream_t.self, capacity: 1) { stream in
            uv_listen(stream, options.backlog) { stream, status in
                guard status == 0, let data = stream?.pointee.data else { return }
                Unmanaged<TCPListener>.fromOpaque(data).takeUnretainedValue().connectionWaits()
            }
        }
    }

    private var boundAddress: SocketAddress? {
        var storage = sockaddr_storage()
        var size = Int32(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                uv_tcp_getsockname(handle, address, &size) == 0 ? SocketAddress(address) : nil
            }
        }
    }

    private func connectionWaits() {
        if isAccepting {
            accept()
        } else {
            hasConnectionWaiting = true
        }
    }

    private func accept() {
        let transport = TCPTransport(context: context)
        let status = UnsafeMutableRawPointer(handle).withMemoryRebound(to: uv_stream_t.self, capacity: 1) { listener in
            UnsafeMutableRawPointer(transport.handle).withMemoryRebound(to: uv_stream_t.self, capacity: 1) {
                uv_accept(listener, $0)
            }
        }
        guard status == 0 else { return transport.abort() }  // it is gone again
        transport.start()
        onConnection(transport)
    }
}
