// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// How much time one point of a series covers.
enum SeriesStep: String, CaseIterable, Sendable {
    case minute = "1m"
    case fiveMinutes = "5m"
    case hour = "1h"
    case day = "1d"

    var seconds: Int64 {
        switch self {
        case .minute: 60
        case .fiveMinutes: 300
        case .hour: 3_600
        case .day: 86_400
        }
    }
}

/// The steps that a range of minutes is divided into. The first and the last may reach beyond the range, but only what
/// lies in it is counted.
struct SeriesSteps: Sendable {
    /// Ascending; each but the last ends where the next begins. Empty for an empty range.
    let starts: [Minute]
    /// Behind the last minute of the range.
    let end: Minute
    /// Minutes from each start to the next; nil where a zone decides.
    private let length: Int?

    /// - Parameter minutes: half open.
    init(_ minutes: Range<Minute>, step: SeriesStep, zone: ZoneOffsets) {
        end = minutes.upperBound
        if zone == .utc {
            let length = step.seconds / 60
            starts = SeriesSteps.starts(minutes, length: length)
            self.length = Int(length)
            return
        }
        var starts: [Minute] = []
        var minute = minutes.lowerBound
        while minute < minutes.upperBound {
            let bounds = zone.step(holding: minute.unixSeconds, length: step.seconds)
            starts.append(SeriesSteps.firstMinute(from: bounds.lowerBound))
            minute = max(SeriesSteps.firstMinute(from: bounds.upperBound), minute.advanced(by: 1))
        }
        self.starts = starts
        length = nil
    }

    /// Without a zone, steps begin at multiples of their length.
    private static func starts(_ minutes: Range<Minute>, length: Int64) -> [Minute] {
        guard !minutes.isEmpty else { return [] }
        let first = Int64(minutes.lowerBound.sinceEpoch) / length * length
        return stride(from: first, to: Int64(minutes.upperBound.sinceEpoch), by: Int(length)).map {
            Minute.first.advanced(by: $0)
        }
    }

    /// The same as `index(of:)`, at once when the minute is in this step or the next.
    func index(of minute: Minute, near step: Int) -> Int {
        if let length { return (Int(minute.sinceEpoch) - Int(starts[0].sinceEpoch)) / length }
        for near in step..<min(step + 2, starts.count) where starts[near] <= minute && minute < end(of: near) {
            return near
        }
        return index(of: minute)
    }

    /// Where the step that holds `minute` stands in `starts`. The minute is in the range.
    func index(of minute: Minute) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= minute { low = middle } else { high = middle }
        }
        return low
    }

    /// Behind the last minute that a step counts.
    func end(of index: Int) -> Minute { index + 1 < starts.count ? starts[index + 1] : end }

    /// Zones of the 1970s were off by seconds: a step begins with the first whole minute in it.
    private static func firstMinute(from seconds: Int64) -> Minute {
        Minute.first.advanced(by: (seconds + 59).flooredQuotient(dividingBy: 60))
    }
}
