// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import TallyCore
import TallySimulator
import Testing

@testable import TallyServer

struct TimeZoneNameTests {
    /// Zones and links of the host's database: Debian's `tzdata.zi` has a line `Z NAME …` or `L TARGET NAME` for each.
    private static let hostNames: [String] = {
        guard let text = try? String(contentsOfFile: "/usr/share/zoneinfo/tzdata.zi", encoding: .utf8) else {
            return []
        }
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.first == "Z" ? String(words[1]) : words.first == "L" ? String(words[2]) : nil
        }
    }()

    @Test(.enabled(if: !hostNames.isEmpty, "the host has no tzdata")) func `every name of the host's database is one`()
        throws
    {
        #expect(Self.hostNames.count > 550)
        for name in Self.hostNames { #expect(TimeZoneName.zone(name) != nil, "\(name)") }
        #expect(Set(Self.hostNames.filter { !$0.contains("/") }).isSubset(of: TimeZoneName.single))
    }

    @Test func `offsets are those of the zone, at any time`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let names = Self.hostNames.isEmpty ? TimeZoneName.single.sorted() : Self.hostNames
        let range = try (WrittenTime("1970-01-03").minute, WrittenTime("2037-12-01").minute)
        for name in names {
            let zone = try #require(TimeZoneName.zone(name))
            let offsets = ZoneOffsets(zone, from: range.0, to: range.1)
            for _ in 0..<20 {
                let time = Int64.random(in: range.0.unixSeconds...range.1.unixSeconds, using: &random)
                let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time)))
                #expect(offsets.offset(at: time) == Int64(expected), "\(name) at \(time), seed \(seed)")
            }
        }
    }

    @Test(arguments: [
        "", "IST", "PST", "BST", "EDT", "GMT+3", "GMT+0300", "UTC+3", "utc", "europe/moscow", "Mars/Base", "localtime",
        "posixrules", "posix/UTC", "right/UTC", "../../etc/passwd", "/etc/localtime", "Europe/../Europe/Moscow",
        "Europe/",
        "/Europe/Moscow", "Europe/Moscow\0", "Europe/Moscow ", "Europe/Moskau\u{301}", "Europe%2FMoscow",
    ])
    func `what is no name of the database is none`(name: String) { #expect(TimeZoneName.zone(name) == nil) }

    @Test func `a long name is none`() {
        #expect(TimeZoneName.zone("Europe/" + String(repeating: "M", count: 1_000_000)) == nil)
    }

    @Test(arguments: ["UTC", "GMT", "Singapore", "Etc/UTC", "GMT-0", "GMT+0", "Zulu", "US/Pacific", "Etc/GMT+5"])
    func `the answer has the name that was asked for`(name: String) async throws {
        let test = HTTPTest()
        try await test.send(.post, "/counter/1")
        let asked = name.replacing("+", with: "%2B")
        let answer = try await test.get("/v1/series?banner=1&step=1d&from=2024-12-12&to=2024-12-14&tz=\(asked)")
        #expect(answer.json?["tz"] as? String == name)
    }
}
