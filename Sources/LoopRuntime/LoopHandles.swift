internal import CLibuv

/// The libuv handles by which an executor takes part in its loop: one to wake it, two that call the executor before and after
/// the loop waits, and one that keeps the loop from waiting.
///
/// Their memory lives as long as this object; ``close()`` and one more run of the loop must come first.
final class LoopHandles {
    private let loop: UnsafeMutablePointer<uv_loop_t>
    private let async: UnsafeMutablePointer<uv_async_t> = .allocate(capacity: 1)
    private let prepare: UnsafeMutablePointer<uv_prepare_t> = .allocate(capacity: 1)
    private let check: UnsafeMutablePointer<uv_check_t> = .allocate(capacity: 1)
    private let idle: UnsafeMutablePointer<uv_idle_t> = .allocate(capacity: 1)
    private var turnAction: () -> Void = {}
    private var isKeptTurning = false

    init(on loop: UnsafeMutablePointer<uv_loop_t>) {
        self.loop = loop
        let status = uv_async_init(loop, async) { _ in }  // waking is all: the work is done after the poll
        precondition(status == 0, "a loop needs a file descriptor: \(String(cString: uv_strerror(status)))")
        uv_prepare_init(loop, prepare)
        uv_check_init(loop, check)
        uv_idle_init(loop, idle)
    }

    deinit {
        async.deallocate()
        prepare.deallocate()
        check.deallocate()
        idle.deallocate()
    }

    /// Makes the loop stop waiting. The only member that other threads may call.
    func wake() {
        uv_async_send(async)
    }

    /// Calls `action` before and after each wait of the loop.
    func observeTurns(_ action: @escaping () -> Void) {
        turnAction = action
        let this = Unmanaged.passUnretained(self).toOpaque()
        prepare.pointee.data = this
        check.pointee.data = this
        uv_prepare_start(prepare) { LoopHandles.turn($0?.pointee.data) }
        uv_check_start(check) { LoopHandles.turn($0?.pointee.data) }
        // Neither is a reason for the loop to live on.
        for handle in [asHandle(prepare), asHandle(check)] { uv_unref(handle) }
    }

    /// Whether the loop looks at its sockets without waiting, because work is left.
    func keepTurning(_ isOn: Bool) {
        guard isOn != isKeptTurning else { return }
        isKeptTurning = isOn
        if isOn {
            uv_idle_start(idle) { _ in }
        } else {
            uv_idle_stop(idle)
        }
    }

    /// The kinds of the handles that others made and nobody has closed.
    func othersOpen() -> [String] {
        var open: [String] = []
        forEachHandle { handle in
            guard uv_is_closing(handle) == 0, !own.contains(handle) else { return }
            open.append(String(cString: uv_handle_type_name(uv_handle_get_type(handle))))
        }
        return open
    }

    /// Lets the loop end when nothing else keeps it alive.
    func releaseLoop() {
        uv_unref(asHandle(async))
    }

    func close() {
        for handle in own { uv_close(handle, nil) }
    }

    private var own: [UnsafeMutablePointer<uv_handle_t>] {
        [asHandle(async), asHandle(prepare), asHandle(check), asHandle(idle)]
    }

    private func asHandle<Handle>(_ handle: UnsafeMutablePointer<Handle>) -> UnsafeMutablePointer<uv_handle_t> {
        UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
    }

    private func forEachHandle(_ body: (UnsafeMutablePointer<uv_handle_t>) -> Void) {
        withoutActuallyEscaping(body) { body in
            var visitor = HandleVisitor(visit: body)
            withUnsafeMutablePointer(to: &visitor) { visitor in
                uv_walk(
                    loop,
                    { handle, visitor in
                        guard let handle, let visitor else { return }
                        visitor.assumingMemoryBound(to: HandleVisitor.self).pointee.visit(handle)
                    }, visitor)
            }
        }
    }

    private static func turn(_ data: UnsafeMutableRawPointer?) {
        guard let data else { return }
        Unmanaged<LoopHandles>.fromOpaque(data).takeUnretainedValue().turnAction()
    }
}

private struct HandleVisitor {
    let visit: (UnsafeMutablePointer<uv_handle_t>) -> Void
}
