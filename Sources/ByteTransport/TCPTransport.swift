internal import CLibuv
internal import LoopRuntime

/// A TCP connection of the loop.
///
/// Writes of a turn go out in one system call at its end, or as soon as a chunk is full; what the operating system does not
/// take waits in a queue. Nothing is allocated while it is idle, besides this object and libuv's handle.
package final class TCPTransport: ByteTransport {
    /// Chunks given to the operating system at once; the queue shrinks by as many at a time.
    private static let chunksPerWriteMax = 4

    private enum Writing {
        case open
        /// Ends when the queue is empty.
        case finishing
        case finished
    }

    package let context: TransportContext
    package var delegate: (any ByteTransportDelegate)?
    package let preservesMessages = false

    let handle: UnsafeMutablePointer<uv_tcp_t>
    private var queue = OutgoingQueue()
    private var writing = Writing.open
    /// Bytes at the front of the queue that libuv is sending; 0 when it sends none.
    private var inFlightByteCount = 0
    private var isReadingWanted = true
    private var hasReadEnded = false
    private var isOverHighMark = false
    private var hasAskedForTurnEnd = false
    /// Set once the pipe is ending: nobody is told anything but that any more.
    private var reason: CloseReason?
    private var isHandleClosing = false
    private var closeTimer: LoopTimer?

    /// A socket that is neither bound nor connected; whoever makes it calls ``start()`` or ``abort()``.
    init(context: TransportContext) {
        context.loop.preconditionIsCurrent()
        self.context = context
        handle = .allocate(capacity: 1)
        uv_tcp_init(context.loop.uvLoop, handle)
        handle.pointee.data = Unmanaged.passUnretained(self).toOpaque()  // the context keeps it until it is closed
        context.add(self)
    }

    deinit {
        handle.deallocate()
    }

    /// The peer's address, unless the connection is gone.
    package var remoteAddress: SocketAddress? {
        address(uv_tcp_getpeername)
    }

    /// This end's address, unless the connection is gone.
    package var localAddress: SocketAddress? {
        address(uv_tcp_getsockname)
    }

    /// Begins to read, once the socket is connected.
    func start() {
        uv_tcp_nodelay(handle, 1)
        uv_tcp_keepalive(handle, 1, 60)
        startReading()
    }

    private func address(
        _ get: (UnsafePointer<uv_tcp_t>?, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<Int32>?) -> Int32
    ) -> SocketAddress? {
        guard !isHandleClosing else { return nil }
        var storage = sockaddr_storage()
        var size = Int32(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                get(handle, address, &size) == 0 ? SocketAddress(address) : nil
            }
        }
    }
}

// MARK: - Writing

extension TCPTransport: LoopTurnObserver {
    package var bufferedByteCount: Int {
        queue.byteCount
    }

    package func write(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        guard writing == .open, reason == nil, byteCount > 0 else { return }
        guard queue.byteCount < context.limits.bufferedByteCountMax else {
            return end(.failed(TransportError(.writeQueueFull, "the peer does not read what is sent to it")))
        }
        queue.append(byteCount: byteCount, from: context.chunks, fill)
        if queue.byteCount >= context.limits.bufferedByteCountHigh { isOverHighMark = true }
        if queue.byteCount >= Chunk.capacity { flush() }
        if queue.byteCount > 0 || isOverHighMark { askForTurnEnd() }
    }

    package func finishWriting() {
        guard writing == .open, reason == nil else { return }
        writing = .finishing
        askForTurnEnd()
    }

    package func loopTurnEnds() {
        hasAskedForTurnEnd = false
        flush()
        noteDrained()
    }

    private func askForTurnEnd() {
        guard !hasAskedForTurnEnd else { return }
        hasAskedForTurnEnd = true
        context.loop.endOfTurn(self)
    }

    /// Gives the operating system what it takes now, and libuv the rest.
    private func flush() {
        while !isHandleClosing, inFlightByteCount == 0, queue.byteCount > 0 {
            let (status, offered) = withFrontBuffers { buffers, count in
                uv_try_write(stream, buffers, count)
            }
            guard status >= 0 || status == UV_EAGAIN.rawValue else {
                return end(.failed(TransportError(status: status, "sending failed")))
            }
            let sent = max(Int(status), 0)
            queue.drop(sent, to: context.chunks)
            if sent < offered { sendRest() }
        }
        if queue.byteCount == 0 { finishIfAsked() }
    }

    private func sendRest() {
        // The request's memory is given back by its callback, which comes in every case.
        let request = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)
        let (status, offered) = withFrontBuffers { buffers, count in
            uv_write(request, stream, buffers, count) { request, status in
                guard let request else { return }
                let transport = TCPTransport.of(request.pointee.handle?.pointee.data)
                request.deallocate()
                transport?.sent(status)
            }
        }
        if status == 0 {
            inFlightByteCount = offered
        } else {
            request.deallocate()
            end(.failed(TransportError(status: status, "sending failed")))
        }
    }

    private func sent(_ status: Int32) {
        let count = inFlightByteCount
        inFlightByteCount = 0
        guard !isHandleClosing else { return }
        guard status == 0 else { return end(.failed(TransportError(status: status, "sending failed"))) }
        queue.drop(count, to: context.chunks)
        flush()
        noteDrained()
    }

    /// Not called within `write`, so that the owner is not told of room in the middle of writing.
    private func noteDrained() {
        guard isOverHighMark, queue.byteCount <= context.limits.bufferedByteCountLow else { return }
        isOverHighMark = false
        if reason == nil, writing == .open { delegate?.becameWritable() }
    }

    private func finishIfAsked() {
        guard writing == .finishing, !isHandleClosing else { return }
        writing = .finished
        let request = UnsafeMutablePointer<uv_shutdown_t>.allocate(capacity: 1)  // given back by its callback
        let status = uv_shutdown(request, stream) { request, _ in
            guard let request else { return }
            let transport = TCPTransport.of(request.pointee.handle?.pointee.data)
            request.deallocate()
            transport?.closeIfBothEnded()
        }
        if status != 0 {
            request.deallocate()
            end(.failed(TransportError(status: status, "ending the connection failed")))
        }
    }

    /// Calls `body` with the first chunks of the queue, and tells how many bytes these were.
    private func withFrontBuffers(
        _ body: (UnsafeMutablePointer<uv_buf_t>?, UInt32) -> Int32
    ) -> (status: Int32, byteCount: Int) {
        withUnsafeTemporaryAllocation(of: uv_buf_t.self, capacity: Self.chunksPerWriteMax) { buffers in
            var count = 0
            var byteCount = 0
            for chunk in queue.chunks.prefix(Self.chunksPerWriteMax) {
                let bytes = chunk.filled
                buffers[count] = uv_buf_init(bytes.assumingMemoryBound(to: CChar.self).baseAddress, UInt32(bytes.count))
                count += 1
                byteCount += bytes.count
            }
            return (body(buffers.baseAddress, UInt32(count)), byteCount)
        }
    }
}

// MARK: - Reading

extension TCPTransport {
    package func pauseReading() {
        guard isReadingWanted, reason == nil else { return }
        isReadingWanted = false
        uv_read_stop(stream)
    }

    package func resumeReading() {
        guard !isReadingWanted, reason == nil else { return }
        isReadingWanted = true
        startReading()
    }

    private func startReading() {
        guard !hasReadEnded, !isHandleClosing else { return }
        let status = uv_read_start(
            stream,
            { handle, _, buffer in
                guard let transport = TCPTransport.of(handle?.pointee.data), let buffer else { return }
                let memory = transport.context.readBuffer
                buffer.pointee = uv_buf_init(
                    memory.assumingMemoryBound(to: CChar.self).baseAddress, UInt32(memory.count))
            },
            { handle, count, _ in
                TCPTransport.of(handle?.pointee.data)?.read(count)
            })
        if status != 0 { end(.failed(TransportError(status: status, "reading failed"))) }
    }

    /// `count` bytes are in the context's buffer; or it is the end, or an error.
    private func read(_ count: Int) {
        if count > 0 {
            guard reason == nil else { return }  // closing: whatever still comes is thrown away
            delegate?.received(UnsafeMutableRawBufferPointer(rebasing: context.readBuffer[0..<count]))
        } else if count == Int(UV_EOF.rawValue) {
            readEnded()
        } else if count < 0 {
            end(.failed(TransportError(status: Int32(count), "the connection broke")))
        }
    }

    private func readEnded() {
        uv_read_stop(stream)
        hasReadEnded = true
        if reason == nil { delegate?.readEnded() }
        closeIfBothEnded()
    }
}

// MARK: - Ending

extension TCPTransport {
    package func close(_ notice: CloseNotice) {
        guard reason == nil else { return }
        reason = hasReadEnded ? .closedByPeer(nil) : .closedLocally
        if writing == .open { writing = .finishing }
        let timer = LoopTimer(on: context.loop) { [unowned self] in closeHandle() }
        timer.start(after: context.limits.closeTimeout)
        closeTimer = timer
        // Reads on until the peer ends: closing with unread bytes would make the system take back what was sent last.
        if !isReadingWanted { startReading() }
        flush()
    }

    package func abort() {
        end(.closedLocally)
    }

    /// Ends the pipe without ado. The first reason counts.
    private func end(_ reason: CloseReason) {
        if self.reason == nil { self.reason = reason }
        closeHandle()
    }

    private func closeIfBothEnded() {
        guard hasReadEnded, writing == .finished else { return }
        if reason == nil { reason = .closedByPeer(nil) }
        closeHandle()
    }

    private func closeHandle() {
        guard !isHandleClosing else { return }
        isHandleClosing = true
        closeTimer = nil
        UnsafeMutableRawPointer(handle).withMemoryRebound(to: uv_handle_t.self, capacity: 1) { handle in
            uv_close(handle) { handle in
                guard let data = handle?.pointee.data else { return }
                Unmanaged<TCPTransport>.fromOpaque(data).takeUnretainedValue().handleClosed()
            }
        }
    }

    private func handleClosed() {
        context.remove(self)
        queue.removeAll(to: context.chunks)
        let delegate = delegate
        self.delegate = nil
        delegate?.closed(reason ?? .closedLocally)
    }
}

// MARK: - Bridging

extension TCPTransport {
    private var stream: UnsafeMutablePointer<uv_stream_t> {
        UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_stream_t.self)
    }

    /// The object in a handle's data: the context keeps it until the handle is closed.
    private static func of(_ data: UnsafeMutableRawPointer?) -> TCPTransport? {
        guard let data else { return nil }
        return Unmanaged<TCPTransport>.fromOpaque(data).takeUnretainedValue()
    }
}
