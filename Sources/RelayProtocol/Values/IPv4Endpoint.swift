/// An IPv4 address with its port.
package struct IPv4Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// The octets, the first one highest.
    package let address: UInt32
    package let port: UInt16

    /// 0.0.0.0:0, which stands for an address that is not known.
    package static let unknown = Self(address: 0, port: 0)

    package init(address: UInt32, port: UInt16) {
        self.address = address
        self.port = port
    }

    package init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, port: UInt16) {
        self.init(address: UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d), port: port)
    }

    /// For example `127.0.0.1:49443`.
    package var description: String {
        "\(address >> 24).\(address >> 16 & 0xff).\(address >> 8 & 0xff).\(address & 0xff):\(port)"
    }
}

/// IPv4 addresses in the form in which they travel: 6 bytes for each.
package struct IPv4EndpointList: Equatable {
    private static let elementSize = 6

    /// The octets in reading order, then the port, little-endian; one address after the other.
    package let encoded: MessageBytes

    package static var empty: Self { Self(encoded: .empty) }

    package init(_ endpoints: [IPv4Endpoint]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(endpoints.count * Self.elementSize)
        for endpoint in endpoints {
            withUnsafeBytes(of: endpoint.address.bigEndian) { bytes.append(contentsOf: $0) }
            withUnsafeBytes(of: endpoint.port.littleEndian) { bytes.append(contentsOf: $0) }
        }
        encoded = MessageBytes(bytes)
    }

    /// - Parameter encoded: As many bytes as the addresses take.
    init(encoded: MessageBytes) {
        self.encoded = encoded
    }

    package var count: Int { encoded.count / Self.elementSize }

    package var owned: Self { Self(encoded: encoded.owned) }

    package var array: [IPv4Endpoint] {
        encoded.withUnsafeBytes { bytes in
            stride(from: 0, to: count * Self.elementSize, by: Self.elementSize).map { start in
                IPv4Endpoint(
                    address: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)),
                    port: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 4, as: UInt16.self)))
            }
        }
    }
}
