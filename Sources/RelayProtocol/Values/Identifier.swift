/// A number that one side of a link has given to one of its things. The type says whose number of what it is, so that no
/// number is looked up in the wrong table: client and relay count independently.
///
/// Inlinable because other modules keep tables by these, and code that is generic is slow unless they see it.
package struct Identifier<Kind>: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let number: UInt32

    @inlinable package init(_ number: UInt32) {
        self.number = number
    }

    package var description: String { String(number) }

    @inlinable package static func == (left: Self, right: Self) -> Bool {
        left.number == right.number
    }

    @inlinable package static func < (left: Self, right: Self) -> Bool {
        left.number < right.number
    }

    @inlinable package func hash(into hasher: inout Hasher) {
        hasher.combine(number)
    }
}

/// What identifiers name. None of these has a value.
package enum IdentifierKind {
    package enum ClientStream {}
    package enum RelayStream {}
    package enum ClientServer {}
    package enum RelayServer {}
    package enum Query {}
    package enum Handshake {}
    package enum FirewallRequest {}
    package enum SignatureRequest {}
}

/// The client's number of a stream.
package typealias ClientStreamID = Identifier<IdentifierKind.ClientStream>
/// The relay's number of a stream.
package typealias RelayStreamID = Identifier<IdentifierKind.RelayStream>
/// The client's number of a server.
package typealias ClientServerID = Identifier<IdentifierKind.ClientServer>
/// The relay's number of a server.
package typealias RelayServerID = Identifier<IdentifierKind.RelayServer>
/// A query; the client numbers them.
package typealias QueryID = Identifier<IdentifierKind.Query>
/// A Noise handshake whose keys are the client's; the relay numbers them.
package typealias HandshakeID = Identifier<IdentifierKind.Handshake>
/// A question whether a peer may connect; the relay numbers them.
package typealias FirewallRequestID = Identifier<IdentifierKind.FirewallRequest>
/// A request for a signature; the relay numbers them.
package typealias SignatureRequestID = Identifier<IdentifierKind.SignatureRequest>

/// Hands out the numbers of one side of one link: 1, 2, 3 and, after 2^32 - 1, 1 again.
///
/// One counter serves all kinds, as in the reference. 0 is never given, although the wire allows it, and no number that
/// is still in use.
struct IdentifierAllocator {
    private var next: UInt32

    init(startingAt first: UInt32 = 1) {
        next = max(first, 1)
    }

    /// - Parameter isInUse: Whether a number names something alive. Must be false for at least one number.
    mutating func allocate(unless isInUse: (UInt32) -> Bool) -> UInt32 {
        while true {
            let number = next
            next = number == .max ? 1 : number + 1
            if !isInUse(number) { return number }
        }
    }
}
