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

/// Makes visitors out of addresses and user agents, with a key that is drawn anew each day, at midnight in UTC, and never
/// leaves the memory.
final class VisitorSalt: Sendable {
    private struct State {
        let key = SymmetricKey(size: .bits256)
        let day: Day
    }

    private let clock: any WallClock
    private let state: Mutex<State>

    init(clock: any WallClock) {
        self.clock = clock
        state = Mutex(State(day: Day(of: Minute(clock.now()))))
    }

    /// - Parameter address: as text.
    func visitor(_ address: some StringProtocol, _ userAgent: UnsafeRawBufferPointer) -> Visitor {
        let today = Day(of: Minute(clock.now()))
        let key = state.withLock { state in
            if state.day != today { state = State(day: today) }
            return state.key
        }
        var code = HMAC<SHA256>(key: key)
        code.update(data: Array(address.utf8))
        code.update(data: [0])
        // The HTTP codec may have put something else in the place of bytes that are no text.
        code.update(data: userAgent.filter { $0 < 0x80 })
        return Visitor(bits: code.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
