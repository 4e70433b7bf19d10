/// A queue that grows to what it once held and then allocates no more.
///
/// It keeps its elements in memory of its own instead of in an array: the code that other modules call is not specialised for
/// their elements, and there an array of optionals costs a few hundred nanoseconds an element.
struct RingBuffer<Element>: ~Copyable {
    private var slots: UnsafeMutablePointer<Element>
    /// A power of two, so that positions wrap with a mask.
    private var capacity = 4
    private var first = 0

    private(set) var count = 0

    init() {
        slots = .allocate(capacity: capacity)
    }

    deinit {
        for offset in 0..<count { slot(offset).deinitialize(count: 1) }
        slots.deallocate()
    }

    mutating func append(_ element: consuming Element) {
        if count == capacity { grow() }
        slot(count).initialize(to: element)
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slot(0).move()
        first = (first + 1) & (capacity - 1)
        count -= 1
        return element
    }

    private func slot(_ offset: Int) -> UnsafeMutablePointer<Element> {
        slots + (first + offset) & (capacity - 1)
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        for offset in 0..<count { (larger + offset).moveInitialize(from: slot(offset), count: 1) }
        slots.deallocate()
        slots = larger
        first = 0
        capacity *= 2
    }
}
