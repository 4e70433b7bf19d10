/// What a state machine asks its driver to do, in order. Zero or one, the usual number, takes no allocation.
///
/// Inlinable because the drivers are in other modules, and code that is generic is slow unless they see it.
package struct Actions<Action>: Sequence {
    @usableFromInline var first: Action?
    @usableFromInline var others: [Action] = []

    @inlinable package init() {}

    @inlinable init(_ action: Action) {
        first = action
    }

    @inlinable package var isEmpty: Bool { first == nil }

    @inlinable package var count: Int { first == nil ? 0 : 1 + others.count }

    @inlinable mutating func append(_ action: Action) {
        if first == nil {
            first = action
        } else {
            others.append(action)
        }
    }

    package struct Iterator: IteratorProtocol {
        @usableFromInline let actions: Actions
        @usableFromInline var position = 0

        @inlinable init(_ actions: Actions) {
            self.actions = actions
        }

        @inlinable package mutating func next() -> Action? {
            defer { position += 1 }
            guard position > 0 else { return actions.first }
            return position <= actions.others.count ? actions.others[position - 1] : nil
        }
    }

    @inlinable package func makeIterator() -> Iterator {
        Iterator(self)
    }
}
