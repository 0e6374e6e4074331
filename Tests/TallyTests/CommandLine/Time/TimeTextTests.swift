// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import tally

struct TimeTextTests {
    @Test(
        "every spelling of a moment is read",
        arguments: [
            "2015-05-17T10:05:03Z", "2015-05-17t10:05:03z", "2015-05-17 10:05:03", "2015-05-17T13:05:03+03:00",
            "2015-05-17T06:35:03-0330", "2015-05-17T10:05:03.999Z", "1431857103", "1431857103999",
        ])
    func readsSpellings(text: String) {
        #expect(TimeText.timestamp(text) == Timestamp(milliseconds: 1_431_857_103_000))
    }

    @Test func aDateIsItsFirstMinute() {
        #expect(TimeText.timestamp("1970-01-02") == Timestamp(milliseconds: 86_400_000))
    }

    @Test func aLeapSecondStaysInItsMinute() {
        #expect(
            TimeText.timestamp("2016-12-31T23:59:60Z").map { Minute($0) }
                == TimeText.timestamp("2016-12-31T23:59Z").map { Minute($0) })
    }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "now", "2015-02-29", "2015-13-01", "2015-05-17T24:00Z", "2015-05-17T10:60Z", "2015-05-17T10:05:61Z",
            "2015-05-17T10:05:03.Z", "2015-05-17T10:05:03+24:00", "2015-05-17X10:05", "2015-5-17",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00", "-1", "99999999999999999", "2015-05-17T10:05:03Zz",
        ])
    func refuses(text: String) { #expect(TimeText.timestamp(text) == nil) }

    @Test func everyDayOfFourCenturiesIsWrittenAsItIsRead() throws {
        for day in stride(from: Int64(0), to: 146_097, by: 1) {
            let date = CivilDate(daysSinceEpoch: day)
            #expect(date.daysSinceEpoch == day)
            #expect(CivilDate(year: date.year, month: date.month, day: date.day) == date)
        }
    }

    @Test func aMinuteIsWrittenInUTC() throws {
        #expect(TimeText.text(.first) == "1970-01-01T00:00:00Z")
        #expect(TimeText.text(.last) == "9999-12-31T23:59:00Z")
        #expect(TimeText.text(try #require(Minute(unixSeconds: 951_782_400))) == "2000-02-29T00:00:00Z")
    }
}
