internal import CHyperDHT

extension NodeAddress {
    /// Nil for "no address" and for what is not IPv4.
    init?(_ address: hdht_address) {
        guard address.family == UInt8(HDHT_FAMILY_IPV4) else { return nil }
        self.init(address.ip.0, address.ip.1, address.ip.2, address.ip.3, port: address.port)
    }

    var cAddress: hdht_address {
        var address = hdht_address()
        let bytes = hostBytes
        (address.ip.0, address.ip.1, address.ip.2, address.ip.3) = (bytes[0], bytes[1], bytes[2], bytes[3])
        address.port = port
        address.family = UInt8(HDHT_FAMILY_IPV4)
        return address
    }
}

extension PublicKey {
    /// Copies 32 bytes.
    init(copying bytes: UnsafePointer<UInt8>) {
        self.init(words: UnsafeRawPointer(bytes).loadUnaligned(as: PublicKey.Words.self))
    }
}

extension Array<UInt8> {
    /// Copies what C lends.
    init(_ bytes: hdht_bytes) {
        self = Array(UnsafeBufferPointer(start: bytes.data, count: bytes.size))
    }
}

extension DHTError.Code {
    /// The code of a negative `HDHT_ERR_*`.
    init(status: Int32) {
        self =
            switch status {
            case Int32(HDHT_ERR_INVALID_ARGUMENT): .invalidArgument
            case Int32(HDHT_ERR_OUT_OF_MEMORY): .outOfMemory
            case Int32(HDHT_ERR_INVALID_STATE): .invalidState
            case Int32(HDHT_ERR_CLOSED): .closed
            case Int32(HDHT_ERR_LIMIT): .limitReached
            case Int32(HDHT_ERR_NOT_FOUND): .notFound
            case Int32(HDHT_ERR_CANCELLED): .cancelled
            case Int32(HDHT_ERR_MALFORMED): .malformedAddress
            case Int32(HDHT_ERR_TOO_LARGE): .tooLarge
            case Int32(HDHT_ERR_BAD_SIGNATURE): .badSignature
            case Int32(HDHT_ERR_ENTROPY): .noEntropy
            case Int32(HDHT_ERR_TIMED_OUT): .timedOut
            case Int32(HDHT_ERR_ADDRESS_IN_USE): .addressInUse
            case Int32(HDHT_ERR_ADDRESS_UNAVAILABLE): .addressUnavailable
            case Int32(HDHT_ERR_PERMISSION): .permissionDenied
            case Int32(HDHT_ERR_NETWORK): .networkFailure
            case Int32(HDHT_ERR_STORAGE): .storageFailure
            case Int32(HDHT_ERR_NO_NODES): .noNodes
            case Int32(HDHT_ERR_QUORUM): .quorumNotReached
            case Int32(HDHT_ERR_SEQ_REUSED): .sequenceReused
            case Int32(HDHT_ERR_SEQ_TOO_LOW): .sequenceTooLow
            case Int32(HDHT_ERR_UNKNOWN_COMMAND): .unknownCommand
            case Int32(HDHT_ERR_INVALID_TOKEN): .invalidToken
            case Int32(HDHT_ERR_REFUSED): .refused
            case Int32(HDHT_ERR_SUSPENDED): .suspended
            default: .unexpected
            }
    }
}

extension DHTError {
    /// The error of a negative `HDHT_ERR_*`.
    init(status: Int32, code: Code? = nil, storeReport: StoreReport? = nil) {
        self.init(
            code ?? Code(status: status), String(cString: hdht_error_message(status)), storeReport: storeReport)
    }
}
