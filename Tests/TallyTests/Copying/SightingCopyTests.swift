// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore
import Testing

@testable import TallyBackends

@Suite("Sightings of visitors are copied and compared")
struct SightingCopyTests {
    private func withStores(_ body: (any Store, any Store) async throws -> Void) async throws {
        try await CopySubject.sqlite(.minute).withStore { first in
            try await CopySubject.sqlite(.hour).withStore { second in try await body(first, second) }
        }
    }

    private func copy(_ source: any Store, _ destination: any Store) async throws -> StoreCopy.Report {
        try await StoreCopy(from: source, to: destination, named: "A").run()
    }

    private func all(in store: any Store) async throws -> Set<Sighting> {
        Set(try await store.sightings(of: nil, in: .first ... .last))
    }

    @Test("what is higher in the destination stays, what is higher in the source is written")
    func mergesRanks() async throws {
        try await withStores { source, destination in
            try await source.merge([
                StoreTest.sighting(1, rank: 4), StoreTest.sighting(2, rank: 4), StoreTest.sighting(3, rank: 4),
                StoreTest.sighting(3, day: -40, rank: 2),
            ])
            try await destination.merge([StoreTest.sighting(1, rank: 9), StoreTest.sighting(2, rank: 3)])
            let before = try await StoreCheck(source, destination).run().sightingDifferences
            #expect(before.days.map(\.places) == [1, 3] && before.days.map(\.day) == [-40, 0].map(StoreTest.day))
            #expect(
                before.days.last?.description
                    == "visitors on 2024-12-12: 3 of the registers that they were sighted in differ")
            let report = try await copy(source, destination)
            #expect(report.sightings == 4 && report.writtenSightings == 3)
            #expect(report.sightingDifferences.days.isEmpty)
            #expect(
                try await all(in: destination) == [
                    StoreTest.sighting(1, rank: 9), StoreTest.sighting(2, rank: 4), StoreTest.sighting(3, rank: 4),
                    StoreTest.sighting(3, day: -40, rank: 2),
                ])
            let after = try await StoreCheck(source, destination).run().sightingDifferences
            #expect(after.days.map(\.places) == [1])
        }
    }

    @Test("sightings that the destination loses are named, and no checkpoint is written")
    func lostSightings() async throws {
        let directory = try StoreTestDirectory()
        try SQLiteStore(path: directory.file(), layout: .hour).close()
        let queue = try DatabaseQueue(path: directory.file())
        try await queue.write { database in
            try database.execute(
                sql: """
                    CREATE TRIGGER lost BEFORE INSERT ON tally_sightings WHEN new.banner_id = 2
                    BEGIN SELECT RAISE(IGNORE); END
                    """)
        }
        try queue.close()
        let destination = try SQLiteStore(path: directory.file(), layout: .hour)
        try await CopySubject.sqlite(.hour).withStore { source in
            try await source.merge((1...3).map { StoreTest.sighting($0) })
            try await source.save(StoreTest.checkpoint(upTo: 5), of: StoreTest.log)
            let report = try await copy(source, destination)
            #expect(report.sightingDifferences.days.map(\.places) == [1])
            #expect(try await destination.checkpoint(of: StoreTest.log) == nil)
            #expect(try await all(in: destination) == [StoreTest.sighting(1), StoreTest.sighting(3)])
        }
        try destination.close()
    }

    @Test("days that one of the stores drops are neither copied nor compared")
    func droppedDays() async throws {
        try await withStores { source, destination in
            try await source.merge((-3...0).map { StoreTest.sighting(1, day: $0) })
            try await source.save(StoreTest.checkpoint(upTo: 5), of: StoreTest.log)
            let horizon = Horizon(collapsed: StoreTest.minute(0), dropped: StoreTest.minute(-1_440))
            try await destination.expire(before: horizon, of: StoreTest.log)
            #expect(try await StoreCheck(source, destination).run().sightingDifferences.days.count == 2)
            let report = try await copy(source, destination)
            #expect(report.sightings == 2 && report.sightingDifferences.days.isEmpty)
            #expect(try await all(in: destination) == Set((-1...0).map { StoreTest.sighting(1, day: $0) }))
            #expect(try await StoreCheck(source, destination).run().sightingDifferences.days.isEmpty)
        }
    }

    @Test("cut off between days, a copy goes on when it is run again")
    func cutOff() async throws {
        try await withStores { source, destination in
            try await source.merge((-3...0).map { StoreTest.sighting(1, day: $0) })
            try await source.save(StoreTest.checkpoint(upTo: 5), of: StoreTest.log)
            await #expect(throws: CancellationError.self) {
                try await StoreCopy(from: source, to: destination, named: "A").run { done, _ in
                    if done == 2 { throw CancellationError() }
                }
            }
            #expect(try await destination.daysWithSightings() == [-3, -2].map(StoreTest.day))
            #expect(try await destination.checkpoint(of: StoreTest.log) == nil)
            let report = try await copy(source, destination)
            #expect(report.sightings == 4 && report.writtenSightings == 2)
            #expect(try await destination.checkpoint(of: StoreTest.log) == StoreTest.checkpoint(upTo: 5))
        }
    }
}
