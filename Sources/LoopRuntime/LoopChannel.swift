/// Hands elements from callbacks of a loop to one async reader on the same loop.
///
/// Bounded: a sender looks at ``hasRoom`` and stops its source when there is none; ``onRoom`` tells when to go on. What is sent
/// in spite of that is kept, because a source may have to deliver what it has already read.
///
/// A reader that takes what is there with ``take()`` and awaits ``next(isolation:)`` only when that is nothing pays for one wake-up per batch.
///
/// `@unchecked Sendable`: every member checks that it is called on the loop's thread.
package final class LoopChannel<Element>: @unchecked Sendable {
    /// The loop both ends live on.
    package let loop: LoopExecutor

    /// How many waiting elements are enough.
    package let elementCountMax: Int

    private var elements = RingBuffer<Element>()
    private var end: ChannelEnd?
    /// Resumed exactly once: whoever takes it out of here resumes it.
    private var reader: UnsafeContinuation<Void, Never>?
    private var roomAction: (() -> Void)?
    private var wasFull = false

    /// An empty channel.
    ///
    /// - Parameter elementCountMax: How many waiting elements are enough; at least 1.
    package init(on loop: LoopExecutor, elementCountMax: Int) {
        precondition(elementCountMax > 0)
        self.loop = loop
        self.elementCountMax = elementCountMax
    }

    /// How many elements wait.
    package var count: Int {
        loop.preconditionIsCurrent()
        return elements.count
    }

    /// Whether the reader keeps up.
    package var hasRoom: Bool {
        count < elementCountMax
    }

    /// Called when the reader has taken half of what filled the channel. Give a closure that does not own the channel.
    package var onRoom: (() -> Void)? {
        get {
            loop.preconditionIsCurrent()
            return roomAction
        }
        set {
            loop.preconditionIsCurrent()
            roomAction = newValue
        }
    }

    /// Adds an element and wakes the reader. After the end the element is dropped.
    ///
    /// - Returns: Whether there is room for another one.
    @discardableResult
    package func send(_ element: Element) -> Bool {
        loop.preconditionIsCurrent()
        guard end == nil else { return false }
        elements.append(element)
        if elements.count >= elementCountMax { wasFull = true }
        wakeReader()
        return elements.count < elementCountMax
    }

    /// Ends the channel: the reader gets what waits, then nil or the error. Only the first end counts.
    package func finish(throwing error: (any Error)? = nil) {
        loop.preconditionIsCurrent()
        guard end == nil else { return }
        end = error.map(ChannelEnd.failed) ?? .finished
        wakeReader()
    }

    /// The next element if one is waiting. Nil says nothing about the end: ask ``next(isolation:)``.
    package func take() -> Element? {
        loop.preconditionIsCurrent()
        guard let element = elements.popFirst() else { return nil }
        if wasFull, elements.count <= elementCountMax / 2 {
            wasFull = false
            roomAction?()
        }
        return element
    }

    /// The next element, or nil after the end. One reader at a time.
    ///
    /// - Throws: What the channel was finished with, after the elements before it; `CancellationError` when the reading task is
    ///   cancelled while it waits (elements stay for the next reader).
    package func next(isolation: isolated (any Actor)? = #isolation) async throws -> Element? {
        while true {
            if let element = take() { return element }
            switch end {
            case .finished: return nil
            case .failed(let error): throw error
            case nil: break
            }
            try Task.checkCancellation()
            await waitForWakeUp()
        }
    }

    /// Looks once more before it waits: on the way here a caller without isolation may have let other jobs run.
    ///
    /// The handler may run on any thread, and at once: so it wakes the reader by way of the loop.
    private func waitForWakeUp(isolation: isolated (any Actor)? = #isolation) async {
        await withTaskCancellationHandler {
            _ = isolation  // a closure that does not mention it would leave the loop
            await withUnsafeContinuation { continuation in
                loop.preconditionIsCurrent()
                precondition(reader == nil, "a LoopChannel has one reader")
                if elements.count > 0 || end != nil || Task.isCancelled {
                    continuation.resume()
                } else {
                    reader = continuation
                }
            }
        } onCancel: {
            loop.execute { self.wakeReader() }
        }
    }

    private func wakeReader() {
        guard let reader else { return }
        self.reader = nil
        reader.resume()
    }
}

/// Not inside the channel: there it would be generic, and looking up its type would cost every call.
private enum ChannelEnd {
    case finished
    case failed(any Error)
}
