// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import TallySimulator
import Testing

@testable import TallyBackends

/// A kind of store and a layout.
struct CopySubject: Sendable, CustomTestStringConvertible {
    enum Kind: Equatable, Sendable {
        case sqlite
        case clickHouse(ClickHouseTestServer)
        #if PostgreSQL
        case postgreSQL
        #endif
    }

    let kind: Kind
    let layout: Layout

    static let all = kinds.flatMap { kind in Layout.allCases.map { CopySubject(kind: kind, layout: $0) } }

    private static var kinds: [Kind] {
        let kinds: [Kind] = [.sqlite] + ClickHouseTestServer.allCases.map(Kind.clickHouse)
        #if PostgreSQL
        return kinds + [.postgreSQL]
        #else
        return kinds
        #endif
    }

    static func sqlite(_ layout: Layout) -> CopySubject { CopySubject(kind: .sqlite, layout: layout) }

    var testDescription: String {
        switch kind {
        case .sqlite: "SQLite, \(layout)"
        case .clickHouse(let server): "\(server.testDescription), \(layout)"
        #if PostgreSQL
        case .postgreSQL: "PostgreSQL, \(layout)"
        #endif
        }
    }

    /// - Parameter body: gets an empty store, of which nothing is left afterwards.
    func withStore<Result>(_ body: (any Store) async throws -> Result) async throws -> Result {
        switch kind {
        case .sqlite:
            let directory = try StoreTestDirectory()
            let store = try SQLiteStore(path: directory.file(), layout: layout)
            let result = try await body(store)
            try store.close()
            return result
        case .clickHouse(let server):
            return try await ClickHouseSubject(server: server, layout: layout).withStore { try await body($0) }
        #if PostgreSQL
        case .postgreSQL:
            if TestServer.postgreSQL == nil { try Test.cancel("TALLY_TEST_POSTGRES is not set") }
            return try await PostgreSQLTestSchema.use { schema in
                let store = PostgreSQLStore(url: schema.url, layout: layout)
                let result = try await body(store)
                await store.close()
                return result
            }
        #endif
        }
    }
}

@Suite("A store is copied into another", .timeLimit(.minutes(10)))
struct StoreCopyTests {
    @Test("of every kind and layout, and found to be equal", arguments: CopySubject.all, CopySubject.all)
    func everyPair(_ from: CopySubject, _ to: CopySubject) async throws {
        try await from.withStore { source in
            try await fill(source, seed: 3)
            try await to.withStore { destination in
                let report = try await StoreCopy(from: source, to: destination, named: "A").run()
                #expect(report.differences.count == 0 && report.written > 0)
                #expect(report.writtenSightings == report.sightings && report.sightings > 0)
                #expect(report.sourceSum == report.destinationSum && report.sourceSum > 0)
                try await expectEqual(source, destination)

                let again = try await StoreCopy(from: source, to: destination, named: "A").run()
                #expect(again.written == 0 && again.differences.count == 0 && again.writtenSightings == 0)
                #expect(again.destinationSum == report.sourceSum)
            }
        }
    }

    @Test("cut off after any piece, it goes on when it is run again")
    func cutOff() async throws {
        let subject = CopySubject.sqlite(.minute)
        try await subject.withStore { source in
            try await fill(source, seed: 4)
            var pieces = 0
            try await subject.withStore { destination in
                _ = try await StoreCopy(from: source, to: destination, named: "A", minutesPerPiece: 50).run {
                    _, total in
                    pieces = total
                }
            }
            #expect(pieces > 3)
            for last in 1..<pieces {
                try await CopySubject.sqlite(.hour).withStore { destination in
                    let copy = StoreCopy(from: source, to: destination, named: "A", minutesPerPiece: 50)
                    await #expect(throws: CancellationError.self) {
                        try await copy.run { done, _ in if done == last { throw CancellationError() } }
                    }
                    #expect(try await destination.checkpoint(of: StoreTest.log) == nil, "rows come first")
                    #expect(try await copy.run().differences.count == 0)
                    try await expectEqual(source, destination)
                }
            }
        }
    }

    @Test("rows beyond a checkpoint are not put together into hours")
    func unfinishedFlush() async throws {
        try await CopySubject.sqlite(.minute).withStore { source in
            try await source.merge([StoreTest.row(1, minute: 0, count: 1, upTo: 5, .minute)], of: StoreTest.log)
            try await source.save(StoreTest.checkpoint(upTo: 4), of: StoreTest.log)
            try await CopySubject.sqlite(.hour).withStore { destination in
                let error = await #expect(throws: StoreError.self) {
                    try await StoreCopy(from: source, to: destination, named: "sqlite:a").run()
                }
                #expect(error?.description.contains("the store at sqlite:a holds rows beyond the checkpoint") == true)
                let rows = try await destination.rows(in: .everything)
                #expect(rows.isEmpty)
            }
            try await CopySubject.sqlite(.minute).withStore { destination in
                let report = try await StoreCopy(from: source, to: destination, named: "A").run()
                #expect(report.written == 1)
            }
        }
    }

    @Test("what the destination has newer stays, is named, and no checkpoint is written")
    func newerDestination() async throws {
        let subject = CopySubject.sqlite(.minute)
        try await subject.withStore { source in
            try await source.merge([StoreTest.row(7, minute: 3, count: 1, upTo: 5, .minute)], of: StoreTest.log)
            try await source.save(StoreTest.checkpoint(upTo: 5), of: StoreTest.log)
            try await subject.withStore { destination in
                try await destination.merge(
                    [StoreTest.row(7, minute: 3, count: 2, upTo: 6, .minute)], of: StoreTest.log)
                let report = try await StoreCopy(from: source, to: destination, named: "A").run()
                #expect(
                    report.differences.first.map(\.description)
                        == ["banner 7, click, 2024-12-12T10:03:00Z: 1 in the first, 2 in the second"])
                #expect(try await destination.checkpoint(of: StoreTest.log) == nil)
            }
        }
    }

    @Test(
        "totals stay totals, and what is collapsed is never begun anew in the copy", arguments: CopySubject.all,
        Layout.allCases)
    func horizons(_ to: CopySubject, _ layout: Layout) async throws {
        try await CopySubject.sqlite(layout).withStore { source in
            try await fill(source, seed: 6)
            let horizon = Horizon(collapsed: StoreTest.minute(0), dropped: StoreTest.minute(-60))
            try await source.expire(before: horizon, of: StoreTest.log)
            try await to.withStore { destination in
                let report = try await StoreCopy(from: source, to: destination, named: "A").run()
                #expect(report.differences.count == 0 && report.sourceSum == report.destinationSum)
                #expect(report.sightingDifferences.days.isEmpty && report.sightings > 0)
                #expect(try await destination.horizon(of: StoreTest.log) == horizon)
                #expect(try await destination.horizon(of: StoreTest.logs[1]) == Horizon.none)
                try await expectEqual(source, destination)

                // Somebody who was stopped before, and wakes up now.
                let late = StoreTest.row(1, minute: -7, count: 3, upTo: 30, destination.layout)
                try await destination.merge([late], of: StoreTest.log)
                try await expectEqual(source, destination)
                let again = try await StoreCopy(from: source, to: destination, named: "A").run()
                #expect(again.written == 0 && again.differences.count == 0)
            }
        }
    }

    @Test("a copy of minutes follows when its source has become totals, and the other way round")
    func laterHorizon() async throws {
        let subject = CopySubject.sqlite(.minute)
        let horizon = Horizon(collapsed: StoreTest.minute(60), dropped: StoreTest.minute(-60))
        try await subject.withStore { source in
            try await fill(source, seed: 7)
            try await subject.withStore { destination in
                _ = try await StoreCopy(from: source, to: destination, named: "A").run()
                try await source.expire(before: horizon, of: StoreTest.log)
                let comparison = try await StoreCheck(source, destination).run()
                #expect(comparison.differences.count == 0 && comparison.coarserLogs == 1)
                let report = try await StoreCopy(from: source, to: destination, named: "A").run()
                #expect(report.written == 0 && report.differences.count == 0)
                #expect(try await destination.horizon(of: StoreTest.log) == horizon)
                try await expectEqual(source, destination)
            }
        }
        try await subject.withStore { source in
            try await fill(source, seed: 7)
            try await subject.withStore { destination in
                _ = try await StoreCopy(from: source, to: destination, named: "A").run()
                try await destination.expire(before: horizon, of: StoreTest.log)
                let report = try await StoreCopy(from: source, to: destination, named: "A").run()
                #expect(report.written == 0 && report.differences.count == 0)
                #expect(try await StoreCheck(source, destination).run().differences.count == 0)
            }
        }
    }

    @Test(
        "a total of an hour, which an earlier tally made, is never copied beside totals of its quarters",
        arguments: CopySubject.all)
    func totalsOfHours(_ to: CopySubject) async throws {
        let horizon = Horizon(collapsed: StoreTest.minute(0), dropped: .first)
        func row(_ minute: Int64, _ count: Int64, _ layout: Layout) -> Row {
            StoreTest.row(1, minute: minute, count: count, upTo: 7, layout)
        }
        let hour: [(Int64, Int64)] = [(-120, 10)]
        let quarters: [(Int64, Int64)] = [(-120, 3), (-105, 7)]
        let later: [(Int64, Int64)] = [(-105, 10)]
        for (wanted, found) in [(hour, quarters), (quarters, hour), (hour, later), (later, hour)] {
            try await CopySubject.sqlite(.minute).withStore { source in
                try await source.merge(wanted.map { row($0, $1, .minute) }, of: StoreTest.log)
                try await source.save(StoreTest.checkpoint(upTo: 7), of: StoreTest.log)
                try await source.expire(before: horizon, of: StoreTest.log)
                try await to.withStore { destination in
                    let minutes = found.map { StoredRow(log: StoreTest.log, row: row($0, $1, .minute)) }
                    let rows = Regrouping.regroup(minutes, to: destination.layout).map(\.row)
                    try await destination.merge(rows, of: StoreTest.log)
                    let report = try await StoreCopy(from: source, to: destination, named: "A").run()
                    #expect(report.differences.count == 0 && report.destinationSum == 10, "\(wanted) beside \(found)")
                    #expect(try await StoreCheck(source, destination).run().differences.count == 0)
                }
            }
        }
    }

    @Test("a copy of totals that was cut off within an hour goes on")
    func cutOffWithinAnHour() async throws {
        let horizon = Horizon(collapsed: StoreTest.minute(0), dropped: .first)
        try await CopySubject.sqlite(.minute).withStore { source in
            let rows = [-120, -105, -75].map { StoreTest.row(1, minute: $0, count: 5, upTo: 7, .minute) }
            try await source.merge(rows, of: StoreTest.log)
            try await source.save(StoreTest.checkpoint(upTo: 7), of: StoreTest.log)
            try await source.expire(before: horizon, of: StoreTest.log)
            try await CopySubject.sqlite(.minute).withStore { destination in
                try await destination.merge([rows[1]], of: StoreTest.log)
                let report = try await StoreCopy(from: source, to: destination, named: "A").run()
                #expect(report.written == 2 && report.differences.count == 0 && report.destinationSum == 15)
            }
        }
    }

    @Test("a comparison names the first differences and counts them all")
    func differences() async throws {
        try await CopySubject.sqlite(.minute).withStore { first in
            try await CopySubject.sqlite(.hour).withStore { second in
                let rows = (0..<30).map { StoreTest.row(1, minute: $0, count: $0 + 1, upTo: 1, .minute) }
                try await first.merge(rows, of: StoreTest.log)
                try await first.save([Banner(id: StoreTest.banner(1), name: "one")])
                try await second.save([Banner(id: StoreTest.banner(1), name: "uno")])
                let report = try await StoreCheck(first, second).run()
                #expect(report.differences.count == 30)
                #expect(report.differences.first.count == Differences.named)
                #expect(
                    report.differences.first.first?.description
                        == "banner 1, click, 2024-12-12T10:00:00Z: 1 in the first, 0 in the second")
                #expect(report.differentBanners == [StoreTest.banner(1)])
                #expect(report.minutesOfFirst == 30 && report.minutesOfSecond == 0)
            }
        }
    }

    private func fill(_ store: any Store, seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        for log in StoreTest.logs {
            for _ in 0..<4 {
                try await store.merge(StoreTest.randomRows(store.layout, atMost: 60, using: &random), of: log)
            }
            // No row is of a higher offset than 20.
            try await store.save(StoreTest.checkpoint(upTo: 20), of: log)
        }
        for _ in 0..<3 { try await store.merge(StoreTest.randomSightings(atMost: 60, using: &random)) }
        try await store.save([
            Banner(
                id: StoreTest.banner(1), name: "one", target: "https://example.com/", tags: ["a"], isRegistered: true),
            Banner(id: StoreTest.banner(2)),
        ])
    }

    private func expectEqual(_ source: any Store, _ destination: any Store) async throws {
        let comparison = try await StoreCheck(source, destination).run()
        #expect(comparison.differences.count == 0)
        #expect(comparison.differentBanners.isEmpty && comparison.sightingDifferences.days.isEmpty)
        #expect(comparison.minutesOfFirst == comparison.minutesOfSecond && comparison.minutesOfFirst > 0)
        for log in StoreTest.logs {
            #expect(try await destination.checkpoint(of: log) == source.checkpoint(of: log))
            let theirs = try await source.totals(in: .everything, with: [])
            #expect(try await Set(destination.totals(in: .everything, with: [])) == Set(theirs))
        }
        #expect(try await Set(destination.logs()) == Set(source.logs()))
    }
}
