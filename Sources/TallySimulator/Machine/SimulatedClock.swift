// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A machine's clock, which jumps and drifts.
struct SimulatedClock {
    /// 2024-12-12T10:00:00Z, when every world begins.
    static let start: Int64 = 1_733_997_600_000

    private var offset: Int64 = 0
    private var driftPerMille: Int64 = 0
    private var driftSince: Int64 = 0

    /// - Parameter now: milliseconds since the world began.
    func time(at now: Int64) -> Timestamp {
        Timestamp(milliseconds: SimulatedClock.start + now + offset + (now - driftSince) * driftPerMille / 1_000)
    }

    mutating func jump(by milliseconds: Int64) { offset += milliseconds }

    mutating func drift(perMille: Int64, from now: Int64) {
        offset = time(at: now).milliseconds - SimulatedClock.start - now
        driftPerMille = perMille
        driftSince = now
    }
}
