// SPDX-License-Identifier: Apache-2.0

/// Which minutes an event may belong to, and which minutes can no longer change.
///
/// The watermark follows the log's time, never the clock alone: a clock that jumps back makes no final minute change.
package struct EventWindow: Sendable {
    /// How many minutes an event may lie back.
    package let late: Int64
    /// How many minutes an event may lie ahead.
    package let early: Int64
    /// How many minutes a backfill may lie back; nil for any number.
    package let floor: Int64?
    /// The highest time that was seen: of the clock, or of the log.
    private var highest: Timestamp

    /// - Parameters:
    ///   - floor: `Retention.floor`.
    ///   - logTime: the highest time of any chunk in the log.
    package init(late: Int64, early: Int64, floor: Int64? = nil, logTime: Timestamp) {
        precondition(late >= 0 && early >= 0 && floor ?? late >= late, "the configuration is validated")
        self.late = late
        self.early = early
        self.floor = floor
        self.highest = logTime
    }

    package enum Decision: Equatable, Sendable {
        case accepted(Minute)
        case tooOld(earliest: Minute)
        case tooEarly(latest: Minute)
    }

    /// Decides the minute of an event, once and for all.
    /// - Parameter time: what the event says of itself, or nil for one that happens now.
    package mutating func decide(_ time: Timestamp?, now: Timestamp, backfill: Bool) -> Decision {
        observe(now)
        let earliest = Minute(highest).advanced(by: -late)
        // When the clock has fallen behind the log, what happens now belongs to the first minute that is not final.
        guard let time else { return .accepted(max(Minute(now), earliest)) }
        let minute = Minute(time)
        let latest = Minute(now).advanced(by: early)
        if minute > latest || time.milliseconds > Minute.last.unixSeconds * 1_000 + 59_999 {
            return .tooEarly(latest: latest)
        }
        let first = backfill ? floor.map { Minute(highest).advanced(by: -$0) } ?? .first : earliest
        if time < .epoch || minute < first { return .tooOld(earliest: first) }
        return .accepted(minute)
    }

    /// The clock, or the log, has reached this time.
    package mutating func observe(_ time: Timestamp) { highest = max(highest, time) }

    /// The minute before which nothing but a backfill can change anything.
    /// - Parameter logTime: of what has been aggregated.
    package static func watermark(logTime: Timestamp, late: Int64) -> Minute { Minute(logTime).advanced(by: -late) }

    /// The latest log time with which this minute is not yet final.
    static func latestTime(before minute: Minute, isFinalWith late: Int64) -> Timestamp {
        Timestamp(milliseconds: (minute.advanced(by: late).unixSeconds + 60) * 1_000 - 1)
    }
}
