internal import CLibuv

/// What went wrong with a pipe, as a code to act on and a sentence to read.
package struct TransportError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure. More may come.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String {
            case addressInUse, addressNotAvailable, permissionDenied, tooManyOpenFiles
            case hostNotFound, connectionRefused, unreachable, timedOut, connectionReset
            case invalidCertificate, certificateRejected, tlsFailed, truncated
            case invalidURL, upgradeRefused, protocolViolation, messageTooLarge
            case writeQueueFull, cancelled, system
        }

        private let value: Value

        /// Somebody already listens on that port.
        package static let addressInUse = Self(value: .addressInUse)
        /// The address is not one of this machine's.
        package static let addressNotAvailable = Self(value: .addressNotAvailable)
        /// The operating system forbids it.
        package static let permissionDenied = Self(value: .permissionDenied)
        /// The process has no file descriptor left.
        package static let tooManyOpenFiles = Self(value: .tooManyOpenFiles)
        /// The name has no address.
        package static let hostNotFound = Self(value: .hostNotFound)
        /// Nobody listens there.
        package static let connectionRefused = Self(value: .connectionRefused)
        /// No way leads there.
        package static let unreachable = Self(value: .unreachable)
        /// The peer did not answer in time.
        package static let timedOut = Self(value: .timedOut)
        /// The peer or the network cut the connection.
        package static let connectionReset = Self(value: .connectionReset)
        /// A certificate or key of ours cannot be used.
        package static let invalidCertificate = Self(value: .invalidCertificate)
        /// The server's certificate is not trusted or is another host's.
        package static let certificateRejected = Self(value: .certificateRejected)
        /// TLS failed for another reason.
        package static let tlsFailed = Self(value: .tlsFailed)
        /// The bytes ended in the middle of something.
        package static let truncated = Self(value: .truncated)
        /// The URL cannot be used.
        package static let invalidURL = Self(value: .invalidURL)
        /// The server answered the request for a WebSocket with something else.
        package static let upgradeRefused = Self(value: .upgradeRefused)
        /// The peer broke the rules of HTTP or WebSocket.
        package static let protocolViolation = Self(value: .protocolViolation)
        /// The peer sent a message above the limit.
        package static let messageTooLarge = Self(value: .messageTooLarge)
        /// More was written than the peer reads, above the limit.
        package static let writeQueueFull = Self(value: .writeQueueFull)
        /// It was given up before it was done.
        package static let cancelled = Self(value: .cancelled)
        /// The operating system gave an error without a code here.
        package static let system = Self(value: .system)

        /// The code's name, for example `addressInUse`.
        package var description: String {
            value.rawValue
        }
    }

    /// What kind of failure it is.
    package let code: Code

    /// One sentence about this case, for people.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code, then the message.
    package var description: String {
        "\(code): \(message)"
    }
}

extension TransportError {
    /// An error of libuv: `what` failed with the negative `status`.
    init(status: Int32, _ what: String) {
        self.init(Code(status: status), "\(what): \(String(cString: uv_strerror(status)))")
    }
}

extension TransportError.Code {
    fileprivate init(status: Int32) {
        switch uv_errno_t(rawValue: status) {
        case UV_EADDRINUSE: self = .addressInUse
        case UV_EADDRNOTAVAIL: self = .addressNotAvailable
        case UV_EACCES, UV_EPERM: self = .permissionDenied
        case UV_EMFILE, UV_ENFILE: self = .tooManyOpenFiles
        case UV_EAI_NONAME, UV_EAI_NODATA, UV_EAI_AGAIN, UV_EAI_FAIL: self = .hostNotFound
        case UV_ECONNREFUSED: self = .connectionRefused
        case UV_EHOSTUNREACH, UV_ENETUNREACH, UV_ENETDOWN: self = .unreachable
        case UV_ETIMEDOUT: self = .timedOut
        case UV_ECONNRESET, UV_EPIPE, UV_ECONNABORTED, UV_ENOTCONN: self = .connectionReset
        case UV_ECANCELED: self = .cancelled
        default: self = .system
        }
    }
}
