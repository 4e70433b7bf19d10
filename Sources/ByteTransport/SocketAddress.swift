internal import CLibuv

/// An IPv4 or IPv6 address with a port.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// Which Internet.
    package enum Family: Sendable {
        case ipv4, ipv6
    }

    package let family: Family
    package let port: UInt16

    /// The address in network order; an IPv4 address fills the first 4 bytes.
    private let high: UInt64
    private let low: UInt64
    /// The interface of a link-local IPv6 address.
    private let scope: UInt32

    /// Reads an address as people write it, for example `127.0.0.1`, `::1` or `fe80::1%eth0`. Nil if it is a name or nonsense.
    package init?(host: String, port: UInt16) {
        var ipv4 = sockaddr_in()
        var ipv6 = sockaddr_in6()
        if uv_ip4_addr(host, Int32(port), &ipv4) == 0 {
            self.init(ipv4)
        } else if uv_ip6_addr(host, Int32(port), &ipv6) == 0 {
            self.init(ipv6)
        } else {
            return nil
        }
    }

    /// Copies an address of the operating system. Nil if it is of another family.
    init?(_ address: UnsafePointer<sockaddr>?) {
        guard let address else { return nil }
        switch Int32(address.pointee.sa_family) {
        case AF_INET: self.init(UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self))
        case AF_INET6: self.init(UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self))
        default: return nil
        }
    }

    private init(_ address: sockaddr_in) {
        family = .ipv4
        port = UInt16(bigEndian: address.sin_port)
        high = withUnsafeBytes(of: address.sin_addr) { UInt64($0.load(as: UInt32.self)) }
        low = 0
        scope = 0
    }

    private init(_ address: sockaddr_in6) {
        family = .ipv6
        port = UInt16(bigEndian: address.sin6_port)
        (high, low) = withUnsafeBytes(of: address.sin6_addr) {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        scope = address.sin6_scope_id
    }

    /// The address without its port, for example `127.0.0.1` or `::ffff:127.0.0.1`.
    package var host: String {
        withSockaddr { address in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
                guard uv_ip_name(address, text.baseAddress, text.count) == 0, let start = text.baseAddress else {
                    return "?"
                }
                return String(cString: start)
            }
        }
    }

    /// The same address with another port.
    package func with(port: UInt16) -> SocketAddress {
        SocketAddress(family: family, port: port, high: high, low: low, scope: scope)
    }

    private init(family: Family, port: UInt16, high: UInt64, low: UInt64, scope: UInt32) {
        self.family = family
        self.port = port
        self.high = high
        self.low = low
        self.scope = scope
    }

    /// For example `127.0.0.1:80` or `[::1]:80`.
    package var description: String {
        family == .ipv4 ? "\(host):\(port)" : "[\(host)]:\(port)"
    }

    /// Lends the address in the form in which the operating system takes it.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>) -> Result) -> Result {
        switch family {
        case .ipv4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &address.sin_addr) {
                $0.storeBytes(of: UInt32(truncatingIfNeeded: high), as: UInt32.self)
            }
            return withUnsafeBytes(of: &address) { body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self)) }
        case .ipv6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &address.sin6_addr) {
                $0.storeBytes(of: high, as: UInt64.self)
                $0.storeBytes(of: low, toByteOffset: 8, as: UInt64.self)
            }
            return withUnsafeBytes(of: &address) { body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self)) }
        }
    }
}
