// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator

/// Days count from 2024-12-12.
extension StoreTest {
    static func day(_ number: Int64) -> Day { Day(of: minute(number * Int64(Day.minutes))) }

    static func sighting(_ id: Int64, day number: Int64 = 0, register: UInt16 = 7, rank: UInt8 = 1) -> Sighting {
        Sighting(
            place: Sighting.Place(banner: banner(id), day: day(number), register: register), rank: rank)
    }

    /// In few places, so that they meet often; each place at most once.
    static func randomSightings(atMost most: Int64, using random: inout SeededGenerator) -> [Sighting] {
        (0..<random.number(0...most)).map { _ in
            sighting(
                random.number(1...4), day: random.number(-1...1), register: UInt16(random.number(0...6) * 170),
                rank: random.isTrue(oneIn: 9) ? VisitorSketch.highestRank : UInt8(random.number(1...5)))
        }.merged()
    }

    /// Of as many banners, in every register, with ranks as those of some 8,000 visitors have.
    static func fullSketches(of banners: Int64, using random: inout SeededGenerator) -> [Sighting] {
        (1...banners).flatMap { id in
            (0..<UInt16(VisitorSketch.registers)).map { register in
                let ranks = (0..<8).map { _ in Sighting.Mark(bits: random.next()).rank }
                return sighting(id, register: register, rank: ranks.max() ?? 1)
            }
        }
    }
}

/// Visitors of a few banners on one day, some of them with free registers and some without, and what a view has to say of them.
struct SampleVisitors {
    let sightings: [Sighting]
    /// For each banner: its id, the day and the number of visitors.
    let expected: [[String]]

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var sightings: [Sighting] = []
        var expected: [[String]] = []
        for (index, count) in [1, 2, 500, 2_400, 2_560, 2_800, 3_000, 20_000].enumerated() {
            let banner = StoreTest.banner(Int64(index + 1))
            let visitors = (0..<count).map { _ in
                Sighting(Sighting.Mark(bits: random.next()), banner: banner, day: StoreTest.day(0))
            }.merged()
            sightings += visitors
            expected.append(["\(banner)", "\(StoreTest.day(0))", "\(VisitorSketch(visitors).estimate)"])
        }
        self.sightings = sightings
        self.expected = expected
    }

    /// Stores them as flushes do: some places twice, with a lower rank first.
    func merge(into store: some CountStore) async throws {
        let lower = sightings.enumerated().filter { $0.offset % 3 == 0 }.map { _, sighting in
            Sighting(place: sighting.place, rank: max(1, sighting.rank / 2))
        }
        try await store.merge(lower)
        try await store.merge(sightings)
    }
}
