internal import CLibuv

/// A value that one thread at a time may touch.
///
/// It is libuv's mutex rather than the standard library's, because the thread sanitizer sees what that one orders.
///
/// `@unchecked Sendable`: the value is touched under the mutex only.
package final class Locked<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<uv_mutex_t>
    private var value: Value

    package init(_ value: sending Value) {
        mutex = .allocate(capacity: 1)
        let status = uv_mutex_init(mutex)
        precondition(status == 0, "the system gave no mutex: \(String(cString: uv_strerror(status)))")
        self.value = value
    }

    deinit {
        uv_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Lends the value. Do not call code of others in `body`: it might want the same lock.
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        uv_mutex_lock(mutex)
        defer { uv_mutex_unlock(mutex) }
        return try body(&value)
    }
}
