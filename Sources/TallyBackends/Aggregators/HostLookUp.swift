// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// All addresses of names. What a name had last stays for as long as it can't be looked up.
final class HostLookUp: Sendable {
    struct Found: Sendable {
        var addresses: [HostName] = []
        var problems: [String] = []
    }

    private struct Known {
        var addresses: [HostName]
        var at: ContinuousClock.Instant
    }

    /// Names change when servers come and go.
    private static let lifetime = Duration.seconds(3)

    private let executor = BlockingExecutor()
    private let known = Mutex<[HostName: Known]>([:])

    func addresses(of names: [HostName], within limit: Duration) async -> Found {
        var found = Found()
        for name in names {
            let known = known.withLock { $0[name] }
            if let known, ContinuousClock.now - known.at < HostLookUp.lifetime {
                found.addresses += known.addresses
            } else if let fresh = await look(up: name, within: limit) {
                found.addresses += fresh
            } else if let known {
                found.addresses += known.addresses
            } else {
                found.problems.append("\(name) has no address")
            }
        }
        found.addresses = Array(Set(found.addresses))
        return found
    }

    private func look(up name: HostName, within limit: Duration) async -> [HostName]? {
        let addresses = try? await Patience.within(limit) { await self.executor.run { HostLookUp.addresses(of: name) } }
        guard let addresses, !addresses.isEmpty else { return nil }
        known.withLock { $0[name] = Known(addresses: addresses, at: .now) }
        return addresses
    }

    /// Blocks.
    private static func addresses(of name: HostName) -> [HostName] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let host = name.host.hasPrefix("[") ? String(name.host.dropFirst().dropLast()) : name.host
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: Set<String> = []
        var next = list
        while let one = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let code = getnameinfo(
                one.pointee.ai_addr, one.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            if code == 0 {
                found.insert(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
            next = one.pointee.ai_next
        }
        return found.sorted().map { HostName(host: $0, port: name.port) }
    }
}
