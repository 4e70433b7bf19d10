/// Why something that a client asked for came to nothing.
package enum RelayClientFailure: Error, Equatable, Sendable {
    /// The link to the relay is gone; why, if this side closed it.
    case linkLost(CloseReason?)
    /// What the relay says, for example `PEER_NOT_FOUND: Peer not found`.
    case relayed(String)
    /// The key to connect to is no usable public key.
    case invalidRemoteKey
    /// What came as the peer's handshake is not genuine.
    case handshakeFailed
    /// The relay opened a stream for a handshake that was not made, or in the other mode.
    case unexpectedHandshake
    /// Nothing came for as long as the user allowed.
    case timedOut
    /// The user read nothing for too long while others waited.
    case notRead
    /// The relay did not listen with this key.
    case listenRefused
    /// The relay closed the server.
    case serverClosed
    /// The relay did not ask for a signature, so nothing was announced, or taken back. Relays of the reference have this
    /// defect; with such a one, let the relay hold the key.
    case noSignatureAsked
    /// There is no memory, or no randomness.
    case outOfResources
}

extension RelayClientFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .linkLost(nil): "The link to the relay was lost"
        case .linkLost(let reason?): "The link to the relay was closed: \(reason)"
        case .relayed(let text): text
        case .invalidRemoteKey: "The key to connect to is not a valid public key"
        case .handshakeFailed: "HANDSHAKE_INVALID: Received invalid handshake"
        case .unexpectedHandshake: "The relay opened a stream for a handshake that was not made"
        case .timedOut: "Stream timed out"
        case .notRead: "The stream was not read while others waited"
        case .listenRefused: "The relay refused to listen with this key; another node may be using it"
        case .serverClosed: "The relay closed the server"
        case .noSignatureAsked:
            "The relay did not ask for signatures, so it cannot announce for a key that the client keeps; "
                + "use another relay, or custodial mode"
        case .outOfResources: "Out of memory or randomness"
        }
    }
}
