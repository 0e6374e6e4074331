// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore

/// The proxies that are believed when they say which address a request comes from (`ClientAddressField`).
package struct TrustedProxies: Equatable, Sendable {
    /// The addresses that begin with these bits.
    private struct Network: Equatable, Sendable {
        let bytes: [UInt8]
        let bits: Int

        init?(_ text: Substring) {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= 2, let bytes = TrustedProxies.bytes(ofAddress: String(parts[0])) else { return nil }
            guard parts.count == 2 else {
                self.bytes = bytes
                bits = bytes.count * 8
                return
            }
            guard let bits = Int(parts[1]), (0...bytes.count * 8).contains(bits) else { return nil }
            self.bytes = bytes
            self.bits = bits
        }

        func contains(_ address: [UInt8]) -> Bool {
            guard address.count == bytes.count else { return false }
            return (0..<bits).allSatisfy { bit in
                let difference = address[bit / 8] ^ bytes[bit / 8]
                return difference & (0x80 >> UInt8(bit % 8)) == 0
            }
        }
    }

    package static let none = TrustedProxies(networks: [])
    /// What is allowed, for the message of an error.
    package static let allowed = "addresses and networks with commas between, as in 127.0.0.1,10.0.0.0/8,fd00::/8"

    private let networks: [Network]

    private init(networks: [Network]) { self.networks = networks }

    package init?(_ text: String) {
        var networks: [Network] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let network = Network(part.drop { $0 == " " }) else { return nil }
            networks.append(network)
        }
        self.networks = networks
    }

    package var isEmpty: Bool { networks.isEmpty }

    /// Who sent the request, as text: of an IPv6 address its network of 64 bits, since that is what one household has.
    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - addresses: what the field names, which counts from the end: what stands before the first address that is not trusted
    ///     any client may have written, and so it may what stands before something that is no address.
    func sender(_ peer: SocketAddress?, addresses: [String]) -> String {
        guard let peer = peer?.ipAddress, var address = TrustedProxies.bytes(ofAddress: peer) else { return "" }
        var rest = addresses[...]
        while networks.contains(where: { $0.contains(address) }), let last = rest.popLast(),
            let before = TrustedProxies.bytes(ofAddress: last)
        {
            address = before
        }
        return address.prefix(address.count == 16 ? 8 : 4).map { String($0, radix: 16) }.joined(separator: ".")
    }

    /// 4 or 16; an IPv4 address in the form of IPv6 is an IPv4 address.
    private static func bytes(ofAddress text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
        guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
        let isMapped = bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
        return isMapped ? Array(bytes.suffix(4)) : bytes
    }
}
