// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

extension CountStoreSuite {
    static let promisesOfSightings = [
        Promise("an empty store has no sightings, and none may be asked and merged") { try await $0.noSightings() },
        Promise("the highest rank of a place wins, in any order and repeated") { try await $0.theHighestRankWins() },
        Promise("the highest rank wins when many merge at once") { try await $0.sightingsMayMeet() },
        Promise("a range chooses banners and days") { try await $0.aRangeChoosesDays() },
        Promise("sightings belong to no log") { try await $0.sightingsBelongToNoLog() },
        Promise("every register and rank, and the ends of banners and days come back") {
            try await $0.theEndsOfSightingsComeBack()
        },
        Promise("20,000 sightings can be merged at once") { try await $0.manySightingsCanBeMerged() },
        Promise("sightings of days before the horizon go") { try await $0.oldSightingsGo() },
    ]

    func noSightings() async throws {
        #expect(try await sightings().isEmpty)
        try await store.merge([] as [Sighting])
        try await store.merge([StoreTest.sighting(1)])
        #expect(try await sightings(of: []).isEmpty)
        #expect(try await sightings() == [StoreTest.sighting(1)])
    }

    func theHighestRankWins() async throws {
        for rank in [3, 2, 3, 9, 1] as [UInt8] {
            try await store.merge([
                StoreTest.sighting(1, rank: rank), StoreTest.sighting(rank == 9 ? 3 : 2, rank: rank),
            ])
        }
        #expect(
            try await sightings() == [
                StoreTest.sighting(1, rank: 9), StoreTest.sighting(2, rank: 3), StoreTest.sighting(3, rank: 9),
            ])
        for seed in UInt64(1)...4 {
            var random = SeededGenerator(seed: seed)
            let flushes = (0..<8).map { _ in StoreTest.randomSightings(atMost: 60, using: &random) }
            for flush in (flushes + flushes.prefix(3)).shuffled(using: &random) { try await store.merge(flush) }
            let before = try await sightings()
            let all = (flushes.flatMap { $0 } + before).merged()
            #expect(before == Set(all), "seed \(seed)")
        }
    }

    func sightingsMayMeet() async throws {
        let store = store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in UInt8(1)...12 {
                group.addTask {
                    let places = (0..<UInt8(240)).map { index -> Sighting in
                        let rank = (writer + index % 12) % 12 + 1
                        return StoreTest.sighting(Int64(index % 5) + 1, register: UInt16(index), rank: rank)
                    }
                    for _ in 0..<2 { try await store.merge(places.shuffled()) }
                    let found = try await store.sightings(of: nil, in: .first ... .last)
                    #expect(found.count == 240)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await sightings().map(\.rank) == Array(repeating: 12, count: 240))
    }

    func aRangeChoosesDays() async throws {
        let stored = (1...3).flatMap { id in (-2...2).map { StoreTest.sighting(id, day: $0, rank: UInt8(id)) } }
        try await store.merge(stored)
        for days in [StoreTest.day(-1)...StoreTest.day(1), StoreTest.day(2)...Day.last, .first ... .last] {
            for banners in [nil, [StoreTest.banner(1), StoreTest.banner(3), StoreTest.banner(9)]] as [Set<BannerID>?] {
                let expected = stored.filter {
                    days.contains($0.place.day) && banners?.contains($0.place.banner) ?? true
                }
                #expect(try await sightings(of: banners, in: days) == Set(expected), "\(days)")
            }
        }
        #expect(try await sightings(in: StoreTest.day(3)...StoreTest.day(9)).isEmpty)
        let manyBanners = Set((2...3_000).map(StoreTest.banner))
        #expect(try await sightings(of: manyBanners) == Set(stored.filter { $0.place.banner.value > 1 }))
    }

    func sightingsBelongToNoLog() async throws {
        try await store.merge([StoreTest.sighting(1)])
        #expect(try await store.logs().isEmpty)
        #expect(try await store.totals(in: .everything, with: []).isEmpty)
    }

    func theEndsOfSightingsComeBack() async throws {
        var stored = (0..<UInt16(VisitorSketch.registers)).map { register in
            StoreTest.sighting(1, register: register, rank: register % 2 == 0 ? 1 : VisitorSketch.highestRank)
        }
        for banner in [1, Int64.max - 1, Int64.max] {
            for day in [Day.first, Day.last] {
                let place = Sighting.Place(banner: StoreTest.banner(banner), day: day, register: 1_023)
                stored.append(Sighting(place: place, rank: VisitorSketch.highestRank))
            }
        }
        try await store.merge(stored)
        #expect(try await sightings() == Set(stored))
        #expect(try await sightings(in: .last ... .last).count == 3)
        let end = try await sightings(of: [StoreTest.banner(.max)], in: .last ... .last)
        #expect(end.map(\.rank) == [VisitorSketch.highestRank])
    }

    func manySightingsCanBeMerged() async throws {
        let stored = (0..<Int64(20_000)).map { index -> Sighting in
            let register = UInt16(index / 25)
            let rank = UInt8(index % 55) + 1
            return StoreTest.sighting(index % 25 + 1, day: index % 2, register: register, rank: rank)
        }
        try await store.merge(stored.shuffled())
        try await store.merge(stored.map { Sighting(place: $0.place, rank: max(1, $0.rank - 1)) })
        #expect(try await sightings() == Set(stored))
    }

    func oldSightingsGo() async throws {
        let stored = (1...3).flatMap { id in (-3...2).map { StoreTest.sighting(id, day: $0) } }
        try await store.merge(stored)
        try await store.expire(before: Horizon(collapsed: StoreTest.minute(0), dropped: .first), of: StoreTest.log)
        #expect(try await sightings() == Set(stored), "hours are not dropped")
        // In the middle of a day, which stays.
        let first = StoreTest.minute(30)
        for log in StoreTest.logs.prefix(2) {
            try await store.expire(before: Horizon(collapsed: StoreTest.minute(90), dropped: first), of: log)
            #expect(try await sightings() == Set(stored.filter { $0.place.day >= StoreTest.day(0) }))
        }
        let earlier = Horizon(collapsed: StoreTest.minute(0), dropped: StoreTest.minute(-5_000))
        try await store.expire(before: earlier, of: StoreTest.logs[2])
        #expect(try await sightings() == Set(stored.filter { $0.place.day >= StoreTest.day(0) }))
    }

    /// Fails when a place comes twice.
    private func sightings(
        of banners: Set<BannerID>? = nil, in days: ClosedRange<Day> = .first ... .last
    ) async throws -> Set<Sighting> {
        let found = try await store.sightings(of: banners, in: days)
        #expect(Set(found.map(\.place)).count == found.count)
        return Set(found)
    }
}
