// SPDX-License-Identifier: Apache-2.0

/// Decides whether the wall clock can be trusted. The time of a log follows the wall clock and never goes back, so a clock that jumps
/// ahead for a moment would make minutes final that are still to come.
///
/// Time since boot never jumps, and goes on while the machine sleeps, so a wall clock that gains on it was set. A gain of up to
/// `tolerance` is trusted at once. A larger gain is trusted when it has lasted for `settlingTime` and the time is at most `maximumAhead`
/// after the last trusted one: the clock was wrong before, or the virtual machine was suspended. The first time after a start is trusted
/// when it is at most `maximumAhead` after the last time in the log.
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
        /// The time of the wall clock.
        case trusted(Timestamp)
        /// The wall clock is not trusted. `estimate` follows from the time since boot; after a start it is the last time in the log.
        case ahead(estimate: Timestamp)
    }

    /// In milliseconds.
    package static let tolerance: Int64 = 60_000
    /// In milliseconds.
    package static let settlingTime: Int64 = 300_000

    /// In milliseconds.
    private let maximumAhead: Int64
    /// The latest trusted time, or time in the log; `.epoch` before the first.
    private var latest: Timestamp
    /// The largest trusted offset; nil before the first.
    private var trusted: Int64?
    /// A larger offset, and the time since boot at which it began.
    private var gain: (offset: Int64, since: Int64)?

    /// - Parameters:
    ///   - logTime: the highest time of any chunk in the log; `.epoch` where there is none, or it is not known.
    ///   - maximumAhead: in milliseconds, above 0.
    package init(logTime: Timestamp, maximumAhead: Int64) {
        precondition(maximumAhead > 0, "the configuration is validated")
        self.maximumAhead = maximumAhead
        latest = logTime
    }

    package mutating func judge(_ reading: Reading) -> Verdict {
        guard let trusted else {
            if latest > .epoch, isFar(reading) { return .ahead(estimate: latest) }
            return trust(reading, with: reading.offset)
        }
        if reading.offset <= trusted {
            gain = nil
            return trust(reading, with: trusted)
        }
        if hasSettled(reading), !isFar(reading) { return trust(reading, with: reading.offset) }
        if reading.offset - trusted <= ClockGuard.tolerance { return trust(reading, with: trusted) }
        return .ahead(estimate: Timestamp(milliseconds: reading.sinceBoot + trusted))
    }

    private func isFar(_ reading: Reading) -> Bool {
        reading.wall.milliseconds - latest.milliseconds > maximumAhead
    }

    private mutating func trust(_ reading: Reading, with offset: Int64) -> Verdict {
        trusted = offset
        latest = max(latest, reading.wall)
        return .trusted(reading.wall)
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
