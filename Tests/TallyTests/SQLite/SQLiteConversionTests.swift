// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyBackends
import TallyCore
import TallySimulator
import Testing

@Suite("SQLiteConversion")
struct SQLiteConversionTests {
    private let directory: StoreTestDirectory
    private var path: String { directory.file() }

    init() throws { directory = try StoreTestDirectory() }

    private struct Content: Equatable {
        var totals: Set<Total>
        var minutes: [String: Int64]
        var checkpoints: [Checkpoint?]
        var banners: Set<Banner>
        var sightings: Set<Sighting>
    }

    /// Makes a store with rows of several logs, none beyond its log's checkpoint, and closes it.
    private func makeStore(_ layout: Layout, seed: UInt64) async throws -> Content {
        var random = SeededGenerator(seed: seed)
        let store = try SQLiteStore(path: path, layout: layout)
        for log in StoreTest.logs {
            try await store.merge(StoreTest.randomRows(layout, atMost: 300, using: &random), of: log)
            try await store.save(StoreTest.checkpoint(upTo: 20 + random.number(0...9)), of: log)
        }
        try await store.save([
            Banner(
                id: StoreTest.banner(1), name: "one", target: "https://example.com", tags: ["a"], isRegistered: true),
            Banner(id: StoreTest.banner(2)),
        ])
        try await store.merge(StoreTest.randomSightings(atMost: 100, using: &random))
        let content = try await content(of: store)
        try store.close()
        return content
    }

    private func content(of store: SQLiteStore) async throws -> Content {
        var minutes: [String: Int64] = [:]
        for stored in try await store.rows(in: .everything) {
            for (minute, count) in stored.row.minuteCounts {
                minutes["\(stored.log) \(stored.row.key.banner) \(stored.row.key.kind) \(minute.sinceEpoch)"] = count
            }
        }
        var checkpoints: [Checkpoint?] = []
        for log in StoreTest.logs { checkpoints.append(try await store.checkpoint(of: log)) }
        return Content(
            totals: Set(try await store.totals(in: .everything, with: [])), minutes: minutes,
            checkpoints: checkpoints, banners: Set(try await store.banners()),
            sightings: Set(try await store.sightings(of: nil, in: .first ... .last)))
    }

    @Test("what was collapsed stays so, and nothing behind it is begun anew", arguments: Layout.allCases)
    func keepsHorizons(layout: Layout) async throws {
        let store = try SQLiteStore(path: path, layout: layout)
        let rows = [0, 17, 90].map { StoreTest.row(1, minute: $0, count: 5, upTo: 9, layout) }
        let byKey = Dictionary(rows.map { ($0.key, $0) }) { $1 }
        try await store.merge(Array(byKey.values), of: StoreTest.log)
        try await store.save(StoreTest.checkpoint(upTo: 9), of: StoreTest.log)
        try await store.expire(before: Horizon(collapsed: StoreTest.minute(60), dropped: .first), of: StoreTest.log)
        let before = try await content(of: store)
        try store.close()
        let other = layout == .minute ? Layout.hour : .minute
        #expect(try await SQLiteConversion(path: path).convert(to: other))
        let converted = try SQLiteStore(path: path, layout: other)
        #expect(try await content(of: converted) == before)
        try await converted.merge([StoreTest.row(1, minute: 17, count: 1, upTo: 8, other)], of: StoreTest.log)
        #expect(try await content(of: converted) == before)
        try converted.close()
    }

    private func content(_ layout: Layout) async throws -> Content {
        let store = try SQLiteStore(path: path, layout: layout)
        let content = try await content(of: store)
        try store.close()
        return content
    }

    private func other(_ layout: Layout) -> Layout { layout == .minute ? .hour : .minute }

    @Test(
        "every count, checkpoint and banner comes along, there and back", arguments: Layout.allCases, [UInt64(1), 2, 3])
    func everythingComesAlong(_ layout: Layout, seed: UInt64) async throws {
        let before = try await makeStore(layout, seed: seed)
        #expect(try await SQLiteConversion(path: path).convert(to: other(layout)))
        #expect(try await content(other(layout)) == before)
        #expect(try await SQLiteConversion(path: path).convert(to: layout))
        #expect(try await content(layout) == before)
        #expect(try directory.files == ["counts.sqlite"], "nothing is left beside it")
    }

    @Test("an hour is as new as its newest minute, and a minute as its hour")
    func offsetsComeAlong() async throws {
        let store = try SQLiteStore(path: path, layout: .minute)
        try await store.merge(
            [(0, 4), (59, 9), (60, 5)].map { StoreTest.row(1, minute: $0, count: 1, upTo: $1, .minute) },
            of: StoreTest.log)
        try await store.save(StoreTest.checkpoint(upTo: 9), of: StoreTest.log)
        try store.close()
        #expect(try await SQLiteConversion(path: path).convert(to: .hour))
        let hours = try SQLiteStore(path: path, layout: .hour)
        let keys = [0, 60].map { StoreTest.key(1, minute: $0, .hour) }
        #expect(try await hours.rows(of: StoreTest.log, at: keys).map(\.upTo) == [LogOffset(9), LogOffset(5)])
        try hours.close()
        #expect(try await SQLiteConversion(path: path).convert(to: .minute))
        let minutes = try SQLiteStore(path: path, layout: .minute)
        let rows = try await minutes.rows(in: .everything).map(\.row).sorted { $0.key < $1.key }
        #expect(rows.map(\.upTo) == [LogOffset(9), LogOffset(9), LogOffset(5)])
    }

    @Test("rows beyond the checkpoint stop a conversion to hours", arguments: [nil, 8 as Int64])
    func unfinishedFlushesAreRefused(_ checkpoint: Int64?) async throws {
        let store = try SQLiteStore(path: path, layout: .minute)
        try await store.merge([StoreTest.row(1, minute: 0, count: 1, upTo: 9, .minute)], of: StoreTest.log)
        if let checkpoint { try await store.save(StoreTest.checkpoint(upTo: checkpoint), of: StoreTest.log) }
        try store.close()
        await #expect {
            _ = try await SQLiteConversion(path: path).convert(to: .hour)
        } throws: { error in
            "\(error)".contains(StoreTest.log.name) && "\(error)".contains("start tally once with the layout minute")
        }
        #expect(try SQLiteStore.layout(ofFileAt: path) == .minute)
        #expect(try directory.files == ["counts.sqlite"])
    }

    @Test("a store that has the layout already stays as it is")
    func nothingToConvert() async throws {
        let before = try await makeStore(.hour, seed: 4)
        #expect(try await !SQLiteConversion(path: path).convert(to: .hour))
        #expect(try await content(.hour) == before)
    }

    @Test("where no store is, none is made")
    func noStoreIsNoStore() async throws {
        await #expect(throws: StoreError.unavailable("there is no store at \(path)")) {
            try await SQLiteConversion(path: path).convert(to: .hour)
        }
        #expect(try directory.files.isEmpty)
    }

    @Test("progress runs to the number of rows")
    func progressIsTold() async throws {
        let store = try SQLiteStore(path: path, layout: .minute)
        let rows = (0..<25_000).map { StoreTest.row($0 % 50 + 1, minute: $0 / 50, count: 1, upTo: 1, .minute) }
        try await store.merge(rows, of: StoreTest.log)
        try await store.save(StoreTest.checkpoint(upTo: 1), of: StoreTest.log)
        try store.close()
        var told: [[Int]] = []
        #expect(try await SQLiteConversion(path: path).convert(to: .hour) { told.append([$0, $1]) })
        #expect(told == [[10_000, 25_000], [20_000, 25_000], [25_000, 25_000]])
    }

    @Test("an interrupted conversion leaves the store as it was, and can be run again", arguments: Layout.allCases)
    func interruptionsDoNoHarm(_ layout: Layout) async throws {
        let before = try await makeStore(layout, seed: 9)
        let conversion = SQLiteConversion(path: path)
        let target = other(layout)
        let task = Task {
            try await conversion.convert(to: target) { _, _ in withUnsafeCurrentTask { $0?.cancel() } }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try directory.files == ["counts.sqlite"])
        #expect(try await content(layout) == before)
        #expect(try await conversion.convert(to: target))
        #expect(try await content(target) == before)
    }

    @Test("what the progress throws ends a conversion; the store is as it was", arguments: Layout.allCases)
    func progressStops(_ layout: Layout) async throws {
        struct Enough: Error {}
        let before = try await makeStore(layout, seed: 13)
        await #expect(throws: Enough.self) {
            try await SQLiteConversion(path: path).convert(to: other(layout)) { _, _ in throw Enough() }
        }
        #expect(try directory.files == ["counts.sqlite"])
        #expect(try await content(layout) == before)
    }

    @Test("what a conversion left that was killed is no hindrance")
    func leftoversAreNoHindrance() async throws {
        let before = try await makeStore(.minute, seed: 10)
        for suffix in ["", "-wal", "-shm"] {
            try Data("half a store".utf8).write(to: URL(fileURLWithPath: path + ".converting" + suffix))
        }
        #expect(try await content(.minute) == before)
        #expect(try await SQLiteConversion(path: path).convert(to: .hour))
        #expect(try await content(.hour) == before)
        #expect(try directory.files == ["counts.sqlite"])
    }

    @Test("a store that is open elsewhere is not replaced")
    func anOpenStoreIsNotReplaced() async throws {
        let before = try await makeStore(.minute, seed: 11)
        let open = try SQLiteStore(path: path, layout: .minute)
        await #expect {
            _ = try await SQLiteConversion(path: path).convert(to: .hour)
        } throws: { error in "\(error)".contains("in use by another process") }
        #expect(try await content(of: open) == before)
        try open.close()
        #expect(try SQLiteStore.layout(ofFileAt: path) == .minute)
    }

    @Test("a damaged store is not converted, and stays")
    func damageIsNotConverted() async throws {
        _ = try await makeStore(.minute, seed: 12)
        let queue = try DatabaseQueue(path: path)
        try await queue.write { try $0.execute(sql: "UPDATE minute_counts SET count = -5 WHERE count = 3") }
        try queue.close()
        await #expect {
            _ = try await SQLiteConversion(path: path).convert(to: .hour)
        } throws: { if case .damaged = $0 as? StoreError { true } else { false } }
        #expect(try SQLiteStore.layout(ofFileAt: path) == .minute)
        #expect(try directory.files == ["counts.sqlite"])
    }
}
