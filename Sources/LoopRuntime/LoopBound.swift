/// Carries a value that belongs to one loop through code that asks for `Sendable`, and checks at run time that it is touched
/// on the loop's thread only.
///
/// `@unchecked Sendable`: every access to the value checks the thread. The value's last reference may be dropped elsewhere, so
/// hold only what does not mind in its `deinit`.
package struct LoopBound<Value>: @unchecked Sendable {
    /// The loop the value belongs to.
    package let loop: LoopExecutor

    private var bound: Value

    /// Binds a value. On the loop's thread.
    package init(_ value: Value, to loop: LoopExecutor) {
        loop.preconditionIsCurrent()
        self.loop = loop
        bound = value
    }

    /// The value. On the loop's thread.
    package var value: Value {
        get {
            loop.preconditionIsCurrent()
            return bound
        }
        set {
            loop.preconditionIsCurrent()
            bound = newValue
        }
    }
}
