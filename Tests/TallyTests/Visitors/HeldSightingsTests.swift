// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("Sightings that the store may lack")
struct HeldSightingsTests {
    @Test("are those of a dictionary, asked for few or for all", arguments: 1...20 as ClosedRange<UInt64>)
    func sameAsDictionary(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var held = HeldSightings()
        var expected: [Sighting.Place: UInt8] = [:]
        for _ in 0..<2_000 {
            let mark = Sighting.Mark(
                register: UInt16.random(in: 0...3, using: &random), rank: UInt8.random(in: 1...5, using: &random))
            let banner = try #require(BannerID(Int64.random(in: 1...20, using: &random)))
            let day = try #require(Day(sinceEpoch: Int64.random(in: 20_000...20_009, using: &random)))
            let sighting = Sighting(mark, banner: banner, day: day)
            if random.chance(30) {
                held.didStore(sighting)
                if expected[sighting.place] == sighting.rank { expected[sighting.place] = nil }
            } else {
                held.note(sighting)
                expected[sighting.place] = max(expected[sighting.place] ?? 0, sighting.rank)
            }
        }
        #expect(held.all.byPlace == expected, "seed \(seed)")
        #expect(held.all.count == held.count && held.count == expected.count, "seed \(seed)")
        let banners = Set((Int64(2)...4).compactMap { BannerID($0) })
        for days in [20_001...20_003, 0...2_000_000] as [ClosedRange<Int64>] {
            let range =
                try #require(Day(sinceEpoch: days.lowerBound))...(try #require(Day(sinceEpoch: days.upperBound)))
            let found = held.all(of: banners, in: range)
            let some = expected.filter { banners.contains($0.key.banner) && range.contains($0.key.day) }
            #expect(found.byPlace == some && found.count == some.count, "seed \(seed)")
        }
    }
}
