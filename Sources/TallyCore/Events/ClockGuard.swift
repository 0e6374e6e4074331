// SPDX-License-Identifier: Apache-2.0

/// Decides whether the wall clock may be believed, since the time of a log follows it and never goes back: a clock that jumps
/// ahead for a moment would make minutes final that are still to come.
///
/// Time since boot never jumps, and goes on while the machine sleeps. So a wall clock that gains on it was set. A gain of up to
/// `tolerance` is believed at once. A larger one is believed when it has lasted for `settlingTime`, up to `mostAhead`: then the
/// clock was wrong before, or the virtual machine was suspended. The first time after a start is believed up to `mostAhead` after
/// the last one in the log.
///
/// No I/O: the owner reads both clocks, several times a minute.
package struct ClockGuard: Sendable {
    /// Both clocks at one moment.
    package struct Reading: Sendable {
        package let wall: Timestamp
        /// In milliseconds.
        package let sinceBoot: Int64

        package init(wall: Timestamp, sinceBoot: Int64) {
            self.wall = wall
            self.sinceBoot = sinceBoot
        }

        /// In milliseconds. It changes when the wall clock is set, and only then.
        fileprivate var offset: Int64 { wall.milliseconds - sinceBoot }
    }

    package enum Verdict: Equatable, Sendable {
        /// The wall clock is believed.
        case believed(Timestamp)
        /// It is not. The time is `estimate`, by the time since boot; after a start it is the last time in the log.
        case ahead(estimate: Timestamp)
    }

    package static let tolerance: Int64 = 60_000
    package static let settlingTime: Int64 = 300_000

    /// In milliseconds.
    private let mostAhead: Int64
    /// The latest time that was believed; nil before the first.
    private var latest: Timestamp?
    /// The largest offset that was believed; nil before the first.
    private var believed: Int64?
    /// A larger offset, and the time since boot at which it began.
    private var gain: (offset: Int64, since: Int64)?

    /// - Parameters:
    ///   - logTime: the highest time of any chunk in the log; nil where there is none, or it is not known.
    ///   - mostAhead: in milliseconds, above 0.
    package init(logTime: Timestamp?, mostAhead: Int64) {
        precondition(mostAhead > 0, "the configuration is validated")
        self.mostAhead = mostAhead
        latest = logTime
    }

    package mutating func judge(_ reading: Reading) -> Verdict {
        guard let believed else {
            if let latest, isFar(reading, ahead: latest) { return .ahead(estimate: latest) }
            return believe(reading, with: reading.offset)
        }
        if reading.offset <= believed {
            gain = nil
            return believe(reading, with: believed)
        }
        let isSettled = hasSettled(reading)
        if isSettled, let latest, !isFar(reading, ahead: latest) { return believe(reading, with: reading.offset) }
        if reading.offset - believed <= ClockGuard.tolerance { return believe(reading, with: believed) }
        return .ahead(estimate: Timestamp(milliseconds: reading.sinceBoot + believed))
    }

    private func isFar(_ reading: Reading, ahead latest: Timestamp) -> Bool {
        reading.wall.milliseconds - latest.milliseconds > mostAhead
    }

    private mutating func believe(_ reading: Reading, with offset: Int64) -> Verdict {
        believed = offset
        latest = max(latest ?? reading.wall, reading.wall)
        return .believed(reading.wall)
    }

    /// Whether the gain of this reading is as old as `settlingTime`. One that is more than a second off is another.
    private mutating func hasSettled(_ reading: Reading) -> Bool {
        if let gain, abs(reading.offset - gain.offset) <= 1_000 {
            return reading.sinceBoot - gain.since >= ClockGuard.settlingTime
        }
        gain = (reading.offset, reading.sinceBoot)
        return false
    }
}
