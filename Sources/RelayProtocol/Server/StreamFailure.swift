/// Why the relay itself ends a stream, in the form of the node's own errors: a code, a colon, a sentence.
enum StreamFailure {
    case tooManyStreams
    case tooManyHandshakes
    case invalidKeyPair
    case backlogFull
    case dataAfterEnd
    case chunkTooLarge
    case stalled
    case notTaken
    case handshakeFailed
    case timedOut

    var text: String {
        switch self {
        case .tooManyStreams: "RELAY_LIMIT: Too many streams"
        case .tooManyHandshakes: "RELAY_LIMIT: Too many handshakes"
        case .invalidKeyPair: "RELAY_INVALID_KEY_PAIR: The secret key does not belong to the public key"
        case .backlogFull: "RELAY_LIMIT: Too much data before the stream is open"
        case .dataAfterEnd: "RELAY_PROTOCOL: Data after the end of the stream"
        case .chunkTooLarge: "RELAY_LIMIT: A message of the peer is too large to be relayed"
        case .stalled: "RELAY_STALLED: The peer does not take what was sent, and others wait behind it"
        case .notTaken: "RELAY_TIMEOUT: The stream was not taken in time"
        // What the reference's node says when no handshake came to an end.
        case .handshakeFailed, .timedOut: "PEER_CONNECTION_FAILED: Could not connect to peer"
        }
    }
}
