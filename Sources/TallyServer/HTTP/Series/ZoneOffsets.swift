// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// How far local time is from UTC, period by period: all of a time zone that dividing time into hours and days needs.
struct ZoneOffsets: Equatable, Sendable {
    /// From a moment on, until the next period begins.
    struct Period: Equatable, Sendable {
        /// Unix time in seconds.
        let start: Int64
        /// Seconds that local time is ahead of UTC.
        let offset: Int64
    }

    static let utc = ZoneOffsets([Period(start: .min, offset: 0)])

    /// Ascending; the first also holds before its start.
    private let periods: [Period]

    init(_ periods: [Period]) {
        precondition(!periods.isEmpty, "a zone has an offset at every time")
        precondition(zip(periods, periods.dropFirst()).allSatisfy { $0.start < $1.start }, "periods ascend")
        self.periods = periods
    }

    /// Seconds that local time is ahead of UTC at this moment.
    func offset(at time: Int64) -> Int64 { periods[index(at: time)].offset }

    /// The first moment at which a local clock shows `local` or later.
    ///
    /// Where clocks are set forward over `local`, that is the moment they are set; where they are set back and show it
    /// twice, the first time.
    /// - Parameter local: seconds that the local clock shows since it showed 1970-01-01T00:00.
    func firstMoment(local: Int64) -> Int64 {
        // No zone was ever two days from UTC.
        var index = index(at: local - 2 * 86_400)
        while true {
            let start = index == 0 ? Int64.min : periods[index].start
            let moment = max(start, local - periods[index].offset)
            if index + 1 == periods.count || moment < periods[index + 1].start { return moment }
            index += 1
        }
    }

    /// The step that holds `time`: as long as `length`, on the grid of the local clock, begun anew where the clock is set
    /// off that grid. A step of a day begins and ends when the local date does.
    func step(holding time: Int64, length: Int64) -> Range<Int64> {
        length == 86_400 ? day(holding: time) : shortStep(holding: time, length: length)
    }

    private func shortStep(holding time: Int64, length: Int64) -> Range<Int64> {
        let index = index(at: time)
        let offset = periods[index].offset
        var start = (time + offset).flooredQuotient(dividingBy: length) * length - offset
        var end = start + length
        if index > 0, start < periods[index].start, leavesGrid(index, length: length) { start = periods[index].start }
        if index + 1 < periods.count, end > periods[index + 1].start, leavesGrid(index + 1, length: length) {
            end = periods[index + 1].start
        }
        return start..<end
    }

    /// Whether the steps of this period are not those of the period before, moved on.
    private func leavesGrid(_ index: Int, length: Int64) -> Bool {
        (periods[index].offset - periods[index - 1].offset) % length != 0
    }

    private func day(holding time: Int64) -> Range<Int64> {
        var day = (time + offset(at: time)).flooredQuotient(dividingBy: 86_400)
        // Set back over midnight, the old date comes a second time. Those minutes stay with the day that had begun.
        if firstMoment(local: (day + 1) * 86_400) <= time { day += 1 }
        return firstMoment(local: day * 86_400)..<firstMoment(local: (day + 1) * 86_400)
    }

    private func index(at time: Int64) -> Int {
        var low = 0
        var high = periods.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if periods[middle].start <= time { low = middle } else { high = middle }
        }
        return low
    }
}
