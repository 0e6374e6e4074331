// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A machine's clock, which jumps and drifts.
struct SimulatedClock {
    /// 2024-12-12T10:00:00Z, when every world begins.
    static let start: Int64 = 1_733_997_600_000

    /// In milliseconds, all jumps together.
    private var jumped: Int64 = 0
    /// A jump ahead that ends within a minute.
    private var shortJump: Int64 = 0
    /// What the drift had made until it changed last.
    private var drifted: Int64 = 0
    private var driftPerMille: Int64 = 0
    private var driftSince: Int64 = 0

    /// - Parameter now: milliseconds since the world began.
    func time(at now: Int64) -> Timestamp { reading(at: now).wall }

    /// Both clocks of a machine drift together, and only one of them jumps.
    func reading(at now: Int64) -> ClockGuard.Reading {
        let sinceBoot = now + drifted + (now - driftSince) * driftPerMille / 1_000
        return ClockGuard.Reading(
            wall: Timestamp(milliseconds: SimulatedClock.start + sinceBoot + jumped + shortJump), sinceBoot: sinceBoot)
    }

    mutating func jump(by milliseconds: Int64) { jumped += milliseconds }

    mutating func beginShortJump(by milliseconds: Int64) { shortJump = milliseconds }

    mutating func endShortJump() { shortJump = 0 }

    func timeWithoutShortJump(at now: Int64) -> Timestamp {
        Timestamp(milliseconds: time(at: now).milliseconds - shortJump)
    }

    mutating func drift(perMille: Int64, from now: Int64) {
        drifted = reading(at: now).sinceBoot - now
        driftPerMille = perMille
        driftSince = now
    }
}
