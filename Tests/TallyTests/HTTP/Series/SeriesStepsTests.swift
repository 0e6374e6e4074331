// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import TallySimulator
import Testing

@testable import TallyServer

struct SeriesStepsTests {
    private func minute(_ text: String) throws -> Minute { try WrittenTime(text).minute }

    private func starts(_ zone: String, _ from: String, _ to: String, _ step: SeriesStep) throws -> [String] {
        let range = try minute(from)..<minute(to)
        let offsets = ZoneOffsets(
            try #require(TimeZoneName.zone(zone)), from: range.lowerBound, to: range.upperBound)
        return SeriesSteps(range, step: step, zone: offsets).starts.map { $0.text() }
    }

    @Test func `steps of UTC are whole, and the first may begin before the range`() throws {
        #expect(
            try starts("UTC", "2024-12-12T10:03", "2024-12-12T10:11", .fiveMinutes) == [
                "2024-12-12T10:00:00Z", "2024-12-12T10:05:00Z", "2024-12-12T10:10:00Z",
            ])
        #expect(
            try starts("UTC", "2024-12-12T10:03", "2024-12-12T10:05", .minute) == [
                "2024-12-12T10:03:00Z", "2024-12-12T10:04:00Z",
            ])
        #expect(try starts("UTC", "2024-12-12", "2024-12-12", .day) == [])
        #expect(
            try starts("UTC", "9999-12-31T22:00", "9999-12-31T23:59", .hour) == [
                "9999-12-31T22:00:00Z", "9999-12-31T23:00:00Z",
            ])
    }

    @Test(arguments: SeriesStep.allCases)
    func `steps without a zone are those of a zone that is always at UTC`(step: SeriesStep) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let utc = ZoneOffsets([ZoneOffsets.Period(start: 0, offset: 0)])
        for _ in 0..<100 {
            let first = Minute.first.advanced(by: .random(in: 0...4_223_371_679, using: &random))
            let range = first..<first.advanced(by: .random(in: 0...3_000, using: &random))
            let steps = SeriesSteps(range, step: step, zone: .utc)
            let zoned = SeriesSteps(range, step: step, zone: utc)
            #expect(steps.starts == zoned.starts, "seed \(seed), \(range)")
            #expect(steps.end == range.upperBound)
            for _ in 0..<20 where !range.isEmpty {
                let minute = first.advanced(
                    by: .random(in: 0..<Int64(range.upperBound.sinceEpoch - first.sinceEpoch), using: &random))
                let near = Int.random(in: 0..<steps.starts.count, using: &random)
                #expect(steps.index(of: minute, near: near) == steps.index(of: minute), "seed \(seed), \(range)")
                #expect(zoned.index(of: minute, near: near) == steps.index(of: minute), "seed \(seed), \(range)")
            }
        }
    }

    @Test func `hours of a zone with half hours begin at its full hours`() throws {
        #expect(
            try starts("Asia/Kolkata", "2024-12-12T10:00", "2024-12-12T11:00", .hour) == [
                "2024-12-12T09:30:00Z", "2024-12-12T10:30:00Z",
            ])
    }

    @Test func `a clock set by half an hour breaks one hour in two`() throws {
        // Lord Howe Island, 2024-04-07: at 02:00 of +11 back to 01:30 of +10:30.
        #expect(
            try starts("Australia/Lord_Howe", "2024-04-06T14:00", "2024-04-06T16:30", .hour)
                == ["2024-04-06T14:00:00Z", "2024-04-06T15:00:00Z", "2024-04-06T15:30:00Z"])
    }

    @Test func `a day whose midnight is left out begins an hour later`() throws {
        // Beirut, 2024-03-31: at 00:00 of +02 on to 01:00 of +03.
        #expect(
            try starts("Asia/Beirut", "2024-03-30T00:00", "2024-04-01T12:00", .day) == [
                "2024-03-29T22:00:00Z", "2024-03-30T22:00:00Z", "2024-03-31T21:00:00Z",
            ])
    }

    @Test func `a day that is left out has no step`() throws {
        // Samoa went over the date line: after 2011-12-29 came 2011-12-31.
        #expect(
            try starts("Pacific/Apia", "2011-12-29T12:00", "2011-12-31T11:00", .day) == [
                "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z",
            ])
    }

    @Test func `midnight that comes twice begins one day`() throws {
        // St. John's, 2006-10-29: at 00:01 of -02:30 back to 23:01 of -03:30.
        #expect(
            try starts("America/St_Johns", "2006-10-28T12:00", "2006-10-30T12:00", .day) == [
                "2006-10-28T02:30:00Z", "2006-10-29T02:30:00Z", "2006-10-30T03:30:00Z",
            ])
    }

    /// Any zone that might be made up, and any range: the steps cover it without a gap, and each minute finds its own.
    @Test func `steps cover every minute once, whatever the zone does`() {
        var random = SeededGenerator(seed: 314_159)
        for round in 0..<300 {
            var periods = [
                ZoneOffsets.Period(start: 1_000_000_000, offset: Int64.random(in: -50_000...50_000, using: &random))
            ]
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let last = periods[periods.count - 1]
                let change = [Int64(3_600), -3_600, 1_800, -1_800, 86_400, -86_400, 77].randomElement(using: &random)!
                let offset = last.offset + change
                if abs(offset) > 100_000 { continue }
                periods.append(
                    .init(start: last.start + Int64.random(in: 90_000...900_000, using: &random), offset: offset))
            }
            let zone = ZoneOffsets(periods)
            let from = Minute(unixSeconds: 1_000_000_000 + Int64.random(in: -200_000...900_000, using: &random))!
            let to = from.advanced(by: Int64.random(in: 1...20_000, using: &random))
            for step in SeriesStep.allCases {
                let steps = SeriesSteps(from..<to, step: step, zone: zone)
                let isAscending = zip(steps.starts, steps.starts.dropFirst()).allSatisfy { $0 < $1 }
                #expect(
                    isAscending && steps.starts[0] <= from && steps.starts[steps.starts.count - 1] < to,
                    "seed 314159, round \(round), \(step)")
                for _ in 0..<50 {
                    let minute = from.advanced(
                        by: Int64.random(in: 0..<Int64(to.sinceEpoch - from.sinceEpoch), using: &random))
                    let index = steps.index(of: minute)
                    #expect(
                        steps.starts[index] <= minute && minute < steps.end(of: index),
                        "seed 314159, round \(round), \(step)")
                }
            }
        }
    }

    @Test(arguments: [
        "Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Africa/Cairo", "America/Havana",
        "Pacific/Chatham",
    ])
    func `days begin when Foundation's calendar says`(name: String) throws {
        let zone = try #require(TimeZone(identifier: name))
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let range = try minute("2010-06-01")..<minute("2016-06-01")
        let steps = SeriesSteps(
            range, step: .day, zone: ZoneOffsets(zone, from: range.lowerBound, to: range.upperBound))
        for start in steps.starts {
            let noon = Date(timeIntervalSince1970: Double(start.unixSeconds + 12 * 3_600))
            #expect(
                calendar.startOfDay(for: noon).timeIntervalSince1970 == Double(start.unixSeconds), "\(start.text())")
        }
        #expect(abs(steps.starts.count - 2_193) <= 1)
    }
}
