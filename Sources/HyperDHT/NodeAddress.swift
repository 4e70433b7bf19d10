/// Where a node of the DHT is: an IPv4 address and a port.
public struct NodeAddress: Sendable, Hashable {
    /// How many bytes the host has.
    static let hostByteCount = 4

    private let octets: UInt32

    /// The port, 1 to 65535; 0 where any port or none is meant.
    public let port: UInt16

    /// The address 127.0.0.1.
    public static func loopback(port: UInt16 = 0) -> Self {
        Self(127, 0, 0, 1, port: port)
    }

    /// The address whose four numbers are given as they are read.
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, port: UInt16) {
        octets = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
        self.port = port
    }

    /// Reads `1.2.3.4:5`. Nil for anything else.
    public init?(_ text: some StringProtocol) {
        let halves = text.split(separator: ":", omittingEmptySubsequences: false)
        guard halves.count == 2, let port = UInt16(halves[1]) else { return nil }
        let numbers = halves[0].split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard numbers.count == Self.hostByteCount, let a = numbers[0], let b = numbers[1], let c = numbers[2],
            let d = numbers[3]
        else { return nil }
        self.init(a, b, c, d, port: port)
    }

    /// The four numbers of the host.
    public var hostBytes: [UInt8] {
        [
            UInt8(truncatingIfNeeded: octets >> 24), UInt8(truncatingIfNeeded: octets >> 16),
            UInt8(truncatingIfNeeded: octets >> 8), UInt8(truncatingIfNeeded: octets),
        ]
    }

    /// The host alone, for example `127.0.0.1`.
    public var host: String {
        hostBytes.map(String.init).joined(separator: ".")
    }
}

extension NodeAddress: CustomStringConvertible {
    /// Host and port, for example `127.0.0.1:49737`.
    public var description: String {
        "\(host):\(port)"
    }
}
