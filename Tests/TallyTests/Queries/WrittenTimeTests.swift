// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import TallySimulator
import Testing

struct WrittenTimeTests {
    @Test(arguments: [
        "2024-12-12T10:00:00Z", "2024-12-12t10:00:00z", "2024-12-12 10:00:00Z", "2024-12-12T10:00:00",
        "2024-12-12 10:00:00",
        "2024-12-12T10:00", "2024-12-12T10:00Z", "2024-12-12T13:00:00+03:00", "2024-12-12T13:00:00+0300",
        "2024-12-12T13:00+03",
        "2024-12-12T04:30:00-05:30", "2024-12-13T09:59:00+23:59", "1733997600", "1733997600000",
    ])
    func `these are all the same moment`(text: String) throws {
        #expect(try WrittenTime(text).timestamp.milliseconds == 1_733_997_600_000)
    }

    @Test func `remembers the zone that was written`() throws {
        #expect(try WrittenTime("2024-12-12T10:00:00").zone == .unstated)
        #expect(try WrittenTime("2024-12-12").zone == .unstated)
        #expect(try WrittenTime("1733997600").zone == .unix)
        #expect(try WrittenTime("2024-12-12T10:00:00Z").zone == .utc)
        #expect(try WrittenTime("2024-12-12T10:00:00-00:30").zone == .offset(minutes: -30))
    }

    @Test func `reads fractions, leap seconds and the date alone`() throws {
        #expect(try WrittenTime("2024-12-12T10:00:00.5Z").timestamp.milliseconds == 1_733_997_600_500)
        #expect(try WrittenTime("2024-12-12T10:00:00,123456789Z").timestamp.milliseconds == 1_733_997_600_123)
        #expect(try WrittenTime("2016-12-31T23:59:60Z").minute == WrittenTime("2016-12-31T23:59:59Z").minute)
        #expect(try WrittenTime("2024-12-12").timestamp == WrittenTime("2024-12-12T00:00:00").timestamp)
        #expect(try WrittenTime("2024-02-29").minute.text() == "2024-02-29T00:00:00Z")
    }

    @Test func `the first and the last moment are the ends of what can be counted`() throws {
        #expect(try WrittenTime("1970-01-01T00:00:00Z").minute == .first)
        #expect(try WrittenTime("9999-12-31T23:59:59.999Z").minute == .last)
        for text in [
            "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00Z",
        ] {
            #expect(throws: UnreadableTime.outOfRange, "\(text)") { try WrittenTime(text) }
        }
        #expect(try WrittenTime(unix: 99_999_999_999).minute.text() == "5138-11-16T09:46:00Z")
        #expect(try WrittenTime(unix: 100_000_000_000).minute.text() == "1973-03-03T09:46:00Z")
        for number in [-1, -100_000_000_000, Int64.max, .min, 253_402_300_800_000] {
            #expect(throws: UnreadableTime.outOfRange, "\(number)") { try WrittenTime(unix: number) }
        }
        #expect(throws: UnreadableTime.outOfRange) { try WrittenTime("99999999999999999999") }
    }

    @Test(arguments: [
        "", " ", "soon", "2024-12", "2024-13-01", "2024-00-01", "2024-01-00", "2024-04-31", "2023-02-29", "1900-02-29",
        "24-12-12T10:00:00Z", "2024-1-1", "2024-12-12T", "2024-12-12T10", "2024-12-12T24:00:00Z",
        "2024-12-12T10:60:00Z",
        "2024-12-12T10:00:61Z", "2024-12-12T10:00:00.", "2024-12-12T10:00:00.Z", "2024-12-12T10:00:00+3",
        "2024-12-12T10:00:00+24:00",
        "2024-12-12T10:00:00+03:60", "2024-12-12T10:00:00 +03:00", "2024-12-12T10:00:00ZZ", "2024-12-12Z",
        " 2024-12-12", "2024-12-12 ",
        "2024-12-12T10:00:00+03:", "2024-12-12X10:00:00", "-1", "+1733997600", "1733997600.5", "1e9", "２０２４-12-12",
        "2024-12-12T10:00:00\u{0}",
        String(repeating: "1", count: 41), String(repeating: "2024-12-12", count: 1_000),
    ])
    func `these are no times`(text: String) {
        #expect(throws: UnreadableTime.malformed) { try WrittenTime(text) }
    }

    @Test func `every day from 1582 to 9999 follows the one before and is what Foundation says`() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0)!
        var previous = CivilDate(daysSinceEpoch: -141_427)  // 1582-10-15, where Foundation's calendar begins.
        #expect(previous == CivilDate(year: 1582, month: 10, day: 15))
        for days in Int64(-141_426)...2_932_896 {
            let date = CivilDate(daysSinceEpoch: days)
            let isNextDay = date.day == previous.day + 1 && date.month == previous.month && date.year == previous.year
            let isNextMonth =
                date.day == 1 && date.month == previous.month % 12 + 1
                && date.year == previous.year + (previous.month == 12 ? 1 : 0)
            guard isNextDay || isNextMonth, date.daysSinceEpoch == days else {
                Issue.record("\(days) is \(date)")
                return
            }
            if days % 97 == 0 {
                let parts = calendar.dateComponents(
                    [.year, .month, .day], from: Date(timeIntervalSince1970: Double(days) * 86_400))
                #expect([parts.year, parts.month, parts.day] == [Int(date.year), Int(date.month), Int(date.day)])
            }
            previous = date
        }
    }

    @Test func `what is written is read back, and as Foundation reads it`() throws {
        var random = SeededGenerator(seed: 1_733_997_600)
        let formatter = ISO8601DateFormatter()
        for _ in 0..<2_000 {
            let minute = Minute(
                sinceEpoch: Int64.random(in: 0...Int64(Minute.last.sinceEpoch) - 2_000, using: &random))!
            let offset = Int64.random(in: -1_080...1_080, using: &random)
            for zone in [WrittenTime.Zone.utc, .offset(minutes: offset), .unstated] {
                let text = minute.text(in: zone)
                // A local time before 1970 is read in its zone, so only the moment is limited.
                let read = try WrittenTime(text)
                #expect(read.minute == minute && read.zone == zone, "\(text), seed 1733997600")
                if zone != .unstated {
                    #expect(formatter.date(from: text)?.timeIntervalSince1970 == Double(minute.unixSeconds), "\(text)")
                }
            }
        }
    }

    @Test func `writes the local time of an offset, also across midnight`() {
        let minute = Minute(unixSeconds: 1_733_958_000)!  // 2024-12-11T23:00Z
        #expect(minute.text(in: .offset(minutes: 180)) == "2024-12-12T02:00:00+03:00")
        #expect(minute.text(in: .offset(minutes: -30)) == "2024-12-11T22:30:00-00:30")
        #expect(minute.text(in: .unix) == "2024-12-11T23:00:00")
        #expect(Minute.first.text(in: .offset(minutes: -60)) == "1969-12-31T23:00:00-01:00")
    }
}
