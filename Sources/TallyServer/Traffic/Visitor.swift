// SPDX-License-Identifier: Apache-2.0

import Crypto
import Synchronization
import TallyCore

/// Somebody who came, as long as the salt lives: nothing of it leads back to an address.
struct Visitor: Hashable, Sendable {
    let bits: UInt64

    /// Other bits at each banner, so that its sketches have nothing in common.
    func bits(at banner: BannerID) -> UInt64 { (bits ^ UInt64(bitPattern: banner.value).mixed()).mixed() }
}

/// Makes visitors out of addresses and user agents, with a key for each day in UTC that is drawn at random, never leaves the
/// memory, and is forgotten when it is over.
final class VisitorSalt: Sendable {
    private struct Key {
        let day: Day
        let key = SymmetricKey(size: .bits256)
    }

    /// Of two days at most: at midnight some loops are still in the day that is over.
    private let keys = Mutex<[Key]>([])

    /// - Parameters:
    ///   - address: as text.
    ///   - day: of the event.
    func visitor(_ address: some StringProtocol, _ userAgent: UnsafeRawBufferPointer, on day: Day) -> Visitor {
        let key = keys.withLock { keys in
            if let known = keys.first(where: { $0.day == day }) { return known.key }
            let new = Key(day: day)
            keys = keys.suffix(1) + [new]
            return new.key
        }
        var code = HMAC<SHA256>(key: key)
        code.update(data: Array(address.utf8))
        code.update(data: [0])
        // The HTTP codec may have put something else in the place of bytes that are no text.
        code.update(data: userAgent.filter { $0 < 0x80 })
        return Visitor(bits: code.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
