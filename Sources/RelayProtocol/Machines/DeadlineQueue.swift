/// Deadlines by name, the earliest first.
///
/// Setting and removing leave outdated entries in the heap, which are skipped when they surface and swept out when they are
/// most of it. So a deadline that moves often costs little, and memory stays in proportion to what is set.
struct DeadlineQueue<Key: Hashable> {
    private struct Entry {
        let instant: RelayInstant
        let key: Key
    }

    private var deadlines: [Key: RelayInstant] = [:]
    /// A binary heap. The first entry, if there is one, is not outdated.
    private var heap: [Entry] = []

    /// The earliest deadline.
    var next: RelayInstant? { heap.first?.instant }

    var isEmpty: Bool { deadlines.isEmpty }

    /// Sets a deadline, or moves it.
    mutating func set(_ key: Key, to instant: RelayInstant) {
        guard deadlines.updateValue(instant, forKey: key) != instant else { return }
        heap.append(Entry(instant: instant, key: key))
        siftUp(from: heap.count - 1)
        dropOutdated()
    }

    mutating func remove(_ key: Key) {
        guard deadlines.removeValue(forKey: key) != nil else { return }
        dropOutdated()
    }

    mutating func removeAll() {
        self = Self()
    }

    /// Takes out the earliest deadline if it has passed.
    mutating func takeDue(at now: RelayInstant) -> Key? {
        guard let first = heap.first, first.instant <= now else { return nil }
        deadlines[first.key] = nil
        dropOutdated()
        return first.key
    }

    private func isOutdated(_ entry: Entry) -> Bool {
        deadlines[entry.key] != entry.instant
    }

    private mutating func dropOutdated() {
        if heap.count > 2 * deadlines.count + 16 { sweep() }
        while let first = heap.first, isOutdated(first) { removeFirst() }
    }

    private mutating func sweep() {
        heap = deadlines.map { Entry(instant: $0.value, key: $0.key) }
        heap.sort { $0.instant < $1.instant }  // what is sorted is a heap
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        siftDown()
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].instant < heap[parent].instant else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].instant < heap[least].instant { least = child }
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
