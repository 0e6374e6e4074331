// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore
import TallySimulator
import Testing

/// An implementation of a store, and how to use a new and empty one, of which nothing is left afterwards.
struct StoreSubject<Store: Sendable>: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let use: @Sendable (_ body: @Sendable (Store) async throws -> Void) async throws -> Void
}

/// A suite for each kind of store, so that one whose server isn't there is skipped by name.
enum StoreSubjects {
    static let memory = Layout.allCases.map { layout in
        StoreSubject<any CountStore>(testDescription: "memory, \(layout)") { body in
            try await body(MemoryStore(layout: layout))
        }
    }

    static let memoryBanners = StoreSubject<any BannerStore>(testDescription: "memory") { body in
        try await body(MemoryBannerStore())
    }

    static let sqlite = Layout.allCases.map(sqlite)

    static func sqlite(_ layout: Layout) -> StoreSubject<any TallyBackends.Store> {
        StoreSubject(testDescription: "SQLite, \(layout)") { body in
            let directory = try StoreTestDirectory()
            try await body(try SQLiteStore(path: directory.file(), layout: layout))
        }
    }
}

extension StoreSubject<any TallyBackends.Store> {
    func keeps(_ promise: CountStoreSuite.Promise) async throws {
        try await use { store in try await promise.check(CountStoreSuite(store: store)) }
    }

    func keeps(_ promise: BannerStoreSuite.Promise) async throws {
        try await use { store in try await promise.check(BannerStoreSuite(store: store)) }
    }

    /// A random history, with the reference beside it.
    func answersAsMemory(_ layout: Layout, seed: UInt64) async throws {
        try await use { store in try await StoreComparison(layout: layout, seed: seed).run(store) }
    }
}

@Suite("Memory keeps the contract")
struct MemoryStoreContractTests {
    @Test("counts", arguments: StoreSubjects.memory, CountStoreSuite.promises)
    func counts(_ subject: StoreSubject<any CountStore>, _ promise: CountStoreSuite.Promise) async throws {
        try await subject.use { store in try await promise.check(CountStoreSuite(store: store)) }
    }

    @Test("banners", arguments: BannerStoreSuite.promises)
    func banners(_ promise: BannerStoreSuite.Promise) async throws {
        try await StoreSubjects.memoryBanners.use { store in
            try await promise.check(BannerStoreSuite(store: store))
        }
    }
}

@Suite("SQLite keeps the contract")
struct SQLiteStoreContractTests {
    @Test("counts", arguments: StoreSubjects.sqlite, CountStoreSuite.promises)
    func counts(_ subject: StoreSubject<any TallyBackends.Store>, _ promise: CountStoreSuite.Promise) async throws {
        try await subject.keeps(promise)
    }

    @Test("banners", arguments: BannerStoreSuite.promises)
    func banners(_ promise: BannerStoreSuite.Promise) async throws {
        try await StoreSubjects.sqlite(.minute).keeps(promise)
    }

    @Test("it answers as memory does", arguments: Layout.allCases, [UInt64(1), 2, 3, 4, 5])
    func answersAsMemory(_ layout: Layout, seed: UInt64) async throws {
        try await StoreSubjects.sqlite(layout).answersAsMemory(layout, seed: seed)
    }
}

/// The same random calls to a store and to the reference.
struct StoreComparison {
    let layout: Layout
    let seed: UInt64

    func run(_ store: any CountStore) async throws {
        let reference = MemoryStore(layout: layout)
        var random = SeededGenerator(seed: seed)
        for step in 1...120 {
            let log = StoreTest.logs.randomElement(using: &random)!
            let rows = StoreTest.randomRows(layout, atMost: 30, using: &random)
            let range = StoreTest.randomRange(using: &random)
            let place: Comment = "seed \(seed), step \(step), \(range)"
            switch random.number(0...5) {
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
                let sightings = StoreTest.randomSightings(atMost: 40, using: &random)
                try await reference.merge(sightings)
                try await store.merge(sightings)
                let days = StoreTest.day(random.number(-2...0))...StoreTest.day(random.number(0...2))
                let expected = try await reference.sightings(of: range.banners, in: days)
                #expect(try await Set(store.sightings(of: range.banners, in: days)) == Set(expected), place)
            case 4:
                #expect(try await Set(store.rows(in: range)) == Set(reference.rows(in: range)), place)
            default:
                let unflushed = StoreTest.unflushed(rows, using: &random)
                let expected = try await reference.totals(in: range, with: unflushed)
                #expect(try await Set(store.totals(in: range, with: unflushed)) == Set(expected), place)
            }
        }
    }
}
