// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import TallyCore

/// The clock that a log's time follows: the machine's, unless that has jumped ahead. `ClockGuard` decides.
package final class LogClock: WallClock {
    private let clock: any WallClock
    private let clockGuard: Mutex<ClockGuard>

    /// - Parameters:
    ///   - logTime: the highest time of any chunk in the log; `.epoch` where there is none, or it is not known.
    ///   - maximumAhead: how far ahead of it, and of time since boot, the clock may be.
    package init(_ clock: any WallClock, logTime: Timestamp, maximumAhead: Duration) {
        self.clock = clock
        clockGuard = Mutex(ClockGuard(logTime: logTime, maximumAhead: maximumAhead.components.seconds * 1_000))
        // Jumps count from now on, not from the first event.
        _ = verdict()
    }

    /// The machine's time while that is trusted, else the estimate.
    package func now() -> Timestamp {
        switch verdict().verdict {
        case .trusted(let time), .ahead(estimate: let time): time
        }
    }

    package func sinceBoot() -> Int64 { clock.sinceBoot() }

    /// The time at which events may be counted.
    /// - Throws: `.clockAhead` while the machine's time is not trusted.
    func trustedNow() throws(EventRejection) -> Timestamp {
        let (verdict, wall) = verdict()
        switch verdict {
        case .trusted(let time): return time
        case .ahead(let estimate): throw .clockAhead(clock: wall, estimate: estimate)
        }
    }

    /// How far ahead of the estimate the machine's clock is while it is not trusted; else 0.
    var ahead: Duration {
        guard case (.ahead(let estimate), let wall) = verdict() else { return .zero }
        return .milliseconds(wall.milliseconds - estimate.milliseconds)
    }

    /// What is wrong with the machine's clock; nil when nothing is.
    var problem: String? {
        do throws(EventRejection) {
            _ = try trustedNow()
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func verdict() -> (verdict: ClockGuard.Verdict, wall: Timestamp) {
        clockGuard.withLock { clockGuard in
            let reading = ClockGuard.Reading(wall: clock.now(), sinceBoot: clock.sinceBoot())
            return (clockGuard.judge(reading), reading.wall)
        }
    }
}
