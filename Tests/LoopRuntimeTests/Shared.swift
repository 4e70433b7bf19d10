import LoopRuntime

/// A value that a test and the threads it starts may all touch.
final class Shared<Value: Sendable>: Sendable {
    private let storage: Locked<Value>

    init(_ value: Value) {
        storage = Locked(value)
    }

    var value: Value {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }

    func change(_ body: (inout Value) -> Void) {
        storage.withLock { body(&$0) }
    }
}
