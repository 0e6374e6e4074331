// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore
import TallySimulator
import Testing

/// An implementation of a store, and how to make a new and empty one in a directory.
struct StoreSubject<Store: Sendable>: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (StoreTestDirectory) throws -> Store
}

@Suite("Every store keeps the contract")
struct StoreContractTests {
    static let countStores = Layout.allCases.map(memory) + Layout.allCases.map(sqlite)

    private static func memory(_ layout: Layout) -> StoreSubject<any CountStore> {
        StoreSubject(testDescription: "memory, \(layout)") { _ in MemoryStore(layout: layout) }
    }

    private static func sqlite(_ layout: Layout) -> StoreSubject<any CountStore> {
        StoreSubject(testDescription: "SQLite, \(layout)") { try SQLiteStore(path: $0.file(), layout: layout) }
    }

    static let bannerStores: [StoreSubject<any BannerStore>] = [
        StoreSubject(testDescription: "memory") { _ in MemoryBannerStore() },
        StoreSubject(testDescription: "SQLite") { try SQLiteStore(path: $0.file(), layout: .minute) },
    ]

    @Test("counts", arguments: countStores, CountStoreSuite.promises)
    func countStoreKeeps(_ subject: StoreSubject<any CountStore>, _ promise: CountStoreSuite.Promise) async throws {
        let directory = try StoreTestDirectory()
        try await promise.check(CountStoreSuite(store: try subject.make(directory)))
    }

    @Test("banners", arguments: bannerStores, BannerStoreSuite.promises)
    func bannerStoreKeeps(_ subject: StoreSubject<any BannerStore>, _ promise: BannerStoreSuite.Promise) async throws {
        let directory = try StoreTestDirectory()
        try await promise.check(BannerStoreSuite(store: try subject.make(directory)))
    }

    @Test("memory and SQLite answer alike", arguments: Layout.allCases, [UInt64(1), 2, 3, 4, 5])
    func memoryAndSQLiteAnswerAlike(_ layout: Layout, seed: UInt64) async throws {
        let directory = try StoreTestDirectory()
        let reference = MemoryStore(layout: layout)
        let store = try SQLiteStore(path: directory.file(), layout: layout)
        var random = SeededGenerator(seed: seed)
        for step in 1...120 {
            let log = StoreTest.logs.randomElement(using: &random)!
            let rows = StoreTest.randomRows(layout, atMost: 30, using: &random)
            let range = StoreTest.randomRange(using: &random)
            let place: Comment = "seed \(seed), step \(step), \(range)"
            switch random.number(0...4) {
            case 0:
                try await reference.merge(rows, of: log)
                try await store.merge(rows, of: log)
            case 1:
                let checkpoint = StoreTest.checkpoint(upTo: random.number(0...30))
                try await reference.save(checkpoint, of: log)
                try await store.save(checkpoint, of: log)
                #expect(try await store.checkpoint(of: log) == reference.checkpoint(of: log), place)
            case 2:
                let keys = rows.map(\.key)
                #expect(try await Set(store.rows(of: log, at: keys)) == Set(reference.rows(of: log, at: keys)), place)
            case 3:
                #expect(try await Set(store.rows(in: range)) == Set(reference.rows(in: range)), place)
            default:
                let expected = try await reference.totals(in: range, with: rows, of: log)
                #expect(try await Set(store.totals(in: range, with: rows, of: log)) == Set(expected), place)
            }
        }
    }
}
