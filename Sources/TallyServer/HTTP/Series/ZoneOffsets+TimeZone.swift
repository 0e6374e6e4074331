// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore

extension ZoneOffsets {
    /// What the time zone database says about the minutes from `first` to `last`, and two days more on both sides.
    init(_ zone: TimeZone, from first: Minute, to last: Minute) {
        let margin: Int64 = 2 * 86_400
        var moment = Date(timeIntervalSince1970: Double(first.unixSeconds - margin))
        let end = Date(timeIntervalSince1970: Double(last.unixSeconds + margin))
        var periods = [Period(start: first.unixSeconds - margin, offset: Int64(zone.secondsFromGMT(for: moment)))]
        while let transition = zone.nextDaylightSavingTimeTransition(after: moment), transition > moment,
            transition < end
        {
            let offset = Int64(zone.secondsFromGMT(for: transition))
            let start = Int64(transition.timeIntervalSince1970.rounded())
            if let previous = periods.last, previous.offset != offset, previous.start < start {
                periods.append(Period(start: start, offset: offset))
            }
            moment = transition
        }
        self.init(periods)
    }
}
