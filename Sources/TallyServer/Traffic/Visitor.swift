// SPDX-License-Identifier: Apache-2.0

import Crypto
import NIOCore
import Synchronization

/// Somebody who came, as long as the salt lives: nothing of it leads back to an address.
struct Visitor: Hashable, Sendable {
    let bits: UInt64
}

/// Makes visitors out of addresses and user agents, with a key that is drawn anew each day and never leaves the memory.
final class VisitorSalt: Sendable {
    private struct State {
        var key = SymmetricKey(size: .bits256)
        var began: NIODeadline?
    }

    private static let life = TimeAmount.hours(24)

    private let state = Mutex(State())

    /// - Parameter address: as text.
    func visitor(_ address: some StringProtocol, _ userAgent: UnsafeRawBufferPointer, at now: NIODeadline) -> Visitor {
        let key = state.withLock { state -> SymmetricKey in
            if let began = state.began, now - began >= VisitorSalt.life { state = State() }
            if state.began == nil { state.began = now }
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
