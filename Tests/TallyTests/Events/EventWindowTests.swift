// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@Suite struct EventWindowTests {
    private let noon = Timestamp(milliseconds: 1_733_998_800_000)
    @Test func aBackfillGoesBackAsFarAsMinutesAreKept() {
        let noon = Timestamp(milliseconds: 1_733_997_600_000)
        var window = EventWindow(late: 60, early: 1, floor: 1_440, logTime: .epoch)
        let first = Minute(noon).advanced(by: -1_440)
        func at(_ minute: Minute) -> Timestamp { Timestamp(milliseconds: minute.unixSeconds * 1_000) }
        #expect(window.decide(at(first), now: noon, backfill: true) == .accepted(first))
        let before = first.advanced(by: -1)
        #expect(window.decide(at(before), now: noon, backfill: true) == .tooOld(earliest: first))
        #expect(window.decide(.epoch, now: noon, backfill: true) == .tooOld(earliest: first))
    }

    private func window() -> EventWindow { EventWindow(late: 60, early: 1, logTime: .epoch) }

    @Test func anEventWithoutATimeBelongsToThePresentMinute() {
        var window = window()
        #expect(window.decide(nil, now: noon, backfill: false) == .accepted(Minute(noon)))
    }

    @Test func theEdgesOfTheWindowAreIncluded() {
        var window = window()
        let earliest = Minute(noon).advanced(by: -60)
        let latest = Minute(noon).advanced(by: 1)
        func at(_ minute: Minute, _ milliseconds: Int64) -> Timestamp {
            Timestamp(milliseconds: minute.unixSeconds * 1_000 + milliseconds)
        }
        #expect(window.decide(at(earliest, 0), now: noon, backfill: false) == .accepted(earliest))
        #expect(window.decide(at(earliest, -1), now: noon, backfill: false) == .tooOld(earliest: earliest))
        #expect(window.decide(at(latest, 59_999), now: noon, backfill: false) == .accepted(latest))
        #expect(window.decide(at(latest, 60_000), now: noon, backfill: false) == .tooEarly(latest: latest))
    }

    @Test func backfillTakesAnyMinuteOfThePastAndNoneOfTheFuture() {
        var window = window()
        #expect(window.decide(.epoch, now: noon, backfill: true) == .accepted(.first))
        let before1970 = Timestamp(milliseconds: -1)
        #expect(window.decide(before1970, now: noon, backfill: true) == .tooOld(earliest: .first))
        let tomorrow = noon.advanced(by: .seconds(86_400))
        #expect(window.decide(tomorrow, now: noon, backfill: true) == .tooEarly(latest: Minute(noon).advanced(by: 1)))
    }

    @Test func aClockThatJumpsBackAnHourNeverReachesFinalMinutes() {
        var window = EventWindow(late: 5, early: 1, logTime: .epoch)
        #expect(window.decide(nil, now: noon, backfill: false) == .accepted(Minute(noon)))
        let watermark = EventWindow.watermark(logTime: noon, late: 5)
        let hourBefore = noon.advanced(by: .seconds(-3_600))
        #expect(window.decide(nil, now: hourBefore, backfill: false) == .accepted(watermark))
        #expect(window.decide(hourBefore, now: hourBefore, backfill: false) == .tooOld(earliest: watermark))
    }

    @Test func afterARestartTheTimeOfTheLogHolds() {
        var window = EventWindow(late: 0, early: 1, logTime: noon)
        let hourBefore = noon.advanced(by: .seconds(-3_600))
        #expect(window.decide(nil, now: hourBefore, backfill: false) == .accepted(Minute(noon)))
    }
}
