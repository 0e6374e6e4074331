// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyCore
import Testing

@testable import TallyBackends

@Suite("SQLiteStore")
struct SQLiteStoreTests {
    private let directory: StoreTestDirectory

    init() throws { directory = try StoreTestDirectory() }

    private func open(_ layout: Layout = .minute) throws -> SQLiteStore {
        try SQLiteStore(path: directory.file(), layout: layout, busyTimeout: .milliseconds(50))
    }

    /// Changes the closed file behind the store's back.
    private func tamper(_ sql: String) throws {
        let queue = try DatabaseQueue(path: directory.file())
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    private func row(
        _ id: Int64 = 1, minute: Int64 = 0, count: Int64 = 1, upTo: Int64 = 1, in layout: Layout = .minute
    ) -> TallyCore.Row {
        StoreTest.row(id, minute: minute, count: count, upTo: upTo, layout)
    }

    /// Expects an error of the store that says all these words.
    private func expectFailure(
        _ kind: (StoreError) -> Bool, saying words: String..., from body: () async throws -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        do {
            try await body()
            Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        } catch let error as StoreError {
            #expect(kind(error), "\(error)", sourceLocation: sourceLocation)
            for word in words { #expect(error.description.contains(word), "\(error)", sourceLocation: sourceLocation) }
        } catch {
            Issue.record("an error of another kind: \(error)", sourceLocation: sourceLocation)
        }
    }

    private func isDamaged(_ error: StoreError) -> Bool { if case .damaged = error { true } else { false } }
    private func isUnavailable(_ error: StoreError) -> Bool { if case .unavailable = error { true } else { false } }

    // MARK: - Files

    @Test("what was written is there after opening again", arguments: Layout.allCases)
    func everythingSurvivesReopening(_ layout: Layout) async throws {
        let banner = Banner(id: StoreTest.banner(1), name: "one", tags: ["a"], isRegistered: true)
        let row = row(in: layout)
        let first = try open(layout)
        try await first.merge([row], of: StoreTest.log)
        try await first.save(StoreTest.checkpoint(upTo: 3), of: StoreTest.log)
        try await first.save([banner])
        try first.close()
        #expect(try directory.files == ["counts.sqlite"], "closing moves everything into the one file")
        let second = try open(layout)
        #expect(try await second.rows(in: .everything) == [StoredRow(log: StoreTest.log, row: row)])
        #expect(try await second.checkpoint(of: StoreTest.log) == StoreTest.checkpoint(upTo: 3))
        #expect(try await second.banners() == [banner])
    }

    @Test("what was written is there when the process ended without closing")
    func everythingSurvivesWithoutClosing() async throws {
        let store = try open()
        try await store.merge([row()], of: StoreTest.log)
        // A copy of the files at this moment is what a crash leaves.
        let crashed = try StoreTestDirectory()
        for name in try directory.files where !name.hasSuffix("-shm") {
            let copied = Process()
            copied.executableURL = URL(fileURLWithPath: "/bin/cp")
            copied.arguments = [directory.file(name), crashed.file(name)]
            try copied.run()
            copied.waitUntilExit()
        }
        let recovered = try SQLiteStore(path: crashed.file(), layout: .minute)
        #expect(try await recovered.rows(in: .everything).map(\.row) == [row()])
    }

    @Test("commits are synced before they return")
    func commitsAreSynced() async throws {
        let store = try open()
        let synchronous = try await store.write { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
        let mode = try await store.write { try String.fetchOne($0, sql: "PRAGMA journal_mode") }
        #expect(synchronous == 2, "2 is FULL")
        #expect(mode == "wal")
    }

    @Test("a closed store says that it is closed")
    func aClosedStoreSaysSo() async throws {
        let store = try open()
        try store.close()
        await expectFailure(isUnavailable, saying: directory.file()) {
            try await store.merge([row()], of: StoreTest.log)
        }
        await expectFailure(isUnavailable, saying: directory.file()) { _ = try await store.rows(in: .everything) }
    }

    @Test("a file that was deleted is noticed by reads and writes", arguments: ["", "-wal"])
    func aDeletedFileIsNoticed(_ suffix: String) async throws {
        let store = try open()
        try await store.merge([row()], of: StoreTest.log)
        try FileManager.default.removeItem(atPath: directory.file() + suffix)
        for _ in 1...2 {
            await expectFailure(isUnavailable, saying: directory.file() + suffix, "deleted") {
                try await store.merge([row(upTo: 2)], of: StoreTest.log)
            }
            await expectFailure(isUnavailable, saying: "deleted") { _ = try await store.rows(in: .everything) }
            await expectFailure(isUnavailable, saying: "deleted") {
                try await store.save([Banner(id: StoreTest.banner(1))])
            }
        }
        #expect(!FileManager.default.fileExists(atPath: directory.file() + suffix), "nothing takes its place unasked")
    }

    @Test("a file that is deleted in the middle of a write is noticed before the write returns")
    func aFileDeletedInAWriteIsNoticed() async throws {
        let store = try open()
        await expectFailure(isUnavailable, saying: directory.file(), "deleted") {
            try await store.write { database in
                try database.execute(sql: "INSERT INTO kinds (name) VALUES ('late')")
                try FileManager.default.removeItem(atPath: directory.file())
            }
        }
    }

    @Test("a file that was deleted and made anew is noticed, and one that was put back is used again")
    func aReplacedFileIsNoticed() async throws {
        let store = try open()
        let aside = directory.file("aside.sqlite")
        try FileManager.default.moveItem(atPath: directory.file(), toPath: aside)
        try Data().write(to: URL(fileURLWithPath: directory.file()))
        await expectFailure(isUnavailable, saying: "replaced") { try await store.merge([row()], of: StoreTest.log) }
        try FileManager.default.removeItem(atPath: directory.file())
        try FileManager.default.moveItem(atPath: aside, toPath: directory.file())
        try await store.merge([row()], of: StoreTest.log)
        #expect(try await store.rows(in: .everything).count == 1)
    }

    @Test("a directory that does not exist is named")
    func aMissingDirectoryIsNamed() async {
        let path = directory.path + "/missing/counts.sqlite"
        await expectFailure(isUnavailable, saying: path) { _ = try SQLiteStore(path: path, layout: .minute) }
    }

    @Test("a file locked by another process is unavailable, and works again afterwards")
    func aLockedFileIsUnavailable() async throws {
        let store = try open()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: directory.file(), configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        await expectFailure(isUnavailable, saying: directory.file(), "locked") {
            try await store.merge([row()], of: StoreTest.log)
        }
        #expect(try await store.rows(in: .everything).isEmpty, "reading goes on")
        try await other.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        try await store.merge([row()], of: StoreTest.log)
        #expect(try await store.rows(in: .everything).count == 1)
    }

    @Test("a full disk is unavailable, and what was there stays")
    func aFullDiskIsUnavailable() async throws {
        let store = try open()
        try await store.merge([row()], of: StoreTest.log)
        try await store.write { try $0.execute(sql: "PRAGMA max_page_count = 1") }
        let many = (1...20_000).map { row($0, minute: 5) }
        await expectFailure(isUnavailable, saying: directory.file(), "full") {
            try await store.merge(many, of: StoreTest.log)
        }
        #expect(try await store.rows(of: StoreTest.log, at: [row().key]) == [row()])
        try await store.write { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
        try await store.merge(many, of: StoreTest.log)
        #expect(try await store.rows(in: .everything).count == 20_001)
    }

    @Test("a task that was cancelled gets an error, not silence")
    func aCancelledTaskGetsAnError() async throws {
        let store = try open()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await store.merge([row()], of: StoreTest.log)
        }
        await expectFailure(isUnavailable, saying: "cancelled") { try await task.value }
    }

    // MARK: - Schema

    @Test("the other layout is refused with the command that converts", arguments: Layout.allCases)
    func theOtherLayoutIsRefused(_ layout: Layout) async throws {
        try open(layout).close()
        #expect(try SQLiteStore.layout(ofFileAt: directory.file()) == layout)
        let other = layout == .minute ? Layout.hour : .minute
        let command = "tally store convert --data \(directory.path) --to \(other.rawValue)"
        await expectFailure(isDamaged, saying: command, directory.file()) { _ = try open(other) }
        let store = try open(layout)
        #expect(try await store.rows(in: .everything).isEmpty)
    }

    @Test("the command is right for a shell, whatever the directory is called")
    func theCommandIsQuoted() async throws {
        let path = directory.path + "/Bob's data"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try SQLiteStore(path: path + "/counts.sqlite", layout: .minute).close()
        await expectFailure(isDamaged, saying: "--data '\(directory.path)/Bob'\\''s data' --to hour") {
            _ = try SQLiteStore(path: path + "/counts.sqlite", layout: .hour)
        }
    }

    @Test("a store of a newer tally is refused and left alone")
    func aNewerSchemaIsRefused() async throws {
        try open().close()
        try tamper("UPDATE tally_meta SET value = '2' WHERE name = 'schema_version'")
        await expectFailure(isDamaged, saying: directory.file(), "version 2", "newer", "up to 1") { _ = try open() }
    }

    @Test("there is no layout where there is no store, or an empty file")
    func aMissingFileHasNoLayout() throws {
        #expect(try SQLiteStore.layout(ofFileAt: directory.file()) == nil)
        try Data().write(to: URL(fileURLWithPath: directory.file()))
        #expect(try SQLiteStore.layout(ofFileAt: directory.file()) == nil)
        try open().close()
        #expect(try SQLiteStore.layout(ofFileAt: directory.file()) == .minute)
    }

    @Test("someone else's SQLite file is refused and stays as it is")
    func aForeignFileIsRefused() async throws {
        try tamper("CREATE TABLE recipes (name TEXT)")
        let before = try Data(contentsOf: URL(fileURLWithPath: directory.file()))
        await expectFailure(isDamaged, saying: directory.file(), "none of tally's") { _ = try open() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: directory.file())) == before)
    }

    @Test("the schema is the documented one", arguments: Layout.allCases)
    func theSchemaIsAsDocumented(_ layout: Layout) async throws {
        let store = try open(layout)
        let names = try await store.read {
            try String.fetchAll($0, sql: "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name")
        }
        let own = layout == .minute ? ["minute_counts", "tally_minutes"] : ["hour_counts"]
        let shared = ["banners", "banners_by_name", "checkpoints", "grdb_migrations", "kinds", "logs", "tally_meta"]
        #expect(names == (own + shared).sorted())
        let meta = try await store.read {
            try String.fetchAll($0, sql: "SELECT name || '=' || value FROM tally_meta ORDER BY name")
        }
        #expect(meta == ["layout=\(layout.rawValue)", "schema_version=1"])
    }

    @Test("the view shows plain numbers, summed over logs")
    func theViewShowsPlainNumbers() async throws {
        let store = try open()
        try await store.merge([row(count: 2), row(minute: 1, count: 3)], of: StoreTest.logs[0])
        try await store.merge([row(count: 5), row(2, minute: 1, count: .max)], of: StoreTest.logs[1])
        try await store.merge(
            [StoreTest.row(1, .impression, minute: 0, count: 1 << 33, upTo: 1, .minute)], of: StoreTest.logs[0])
        try await store.merge([row(2, minute: 1, count: .max)], of: StoreTest.logs[2])
        let shown = try await store.read { database in
            try GRDB.Row.fetchAll(
                database, sql: "SELECT banner_id, kind, minute_timestamp, count FROM tally_minutes ORDER BY 1, 2, 3"
            ).map { row in "\(row[0] as Int64) \(row[1] as String) \(row[2] as Int64) \(row[3] as Int64)" }
        }
        let expected = [
            "1 click 1733997600 7", "1 click 1733997660 3", "1 impression 1733997600 8589934592",
            "2 click 1733997660 9223372036854775807",
        ]
        #expect(shown == expected)
    }

    @Test("each way to a range uses the primary key")
    func rangesUseThePrimaryKey() async throws {
        let store = try open()
        let plans = try await store.read { database in
            try [
                "SELECT 1 FROM minute_counts WHERE banner_id = 1 AND kind = 1 AND minute_timestamp BETWEEN 0 AND 9",
                "SELECT banner_id, kind FROM minute_counts WHERE (banner_id, kind) > (1, 1) ORDER BY banner_id, kind LIMIT 1",
                "SELECT count FROM minute_counts WHERE banner_id = 1 AND kind = 1 AND minute_timestamp = 0 AND log = 1",
            ].map { try GRDB.Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + $0).map { $0["detail"] as String } }
        }
        for plan in plans {
            #expect(plan.count == 1 && plan[0].hasPrefix("SEARCH minute_counts USING PRIMARY KEY"), "\(plan)")
        }
    }

    @Test("many series with few rows each are found as well as few with many")
    func manySeriesAreFound() async throws {
        let store = try open()
        let reference = MemoryStore(layout: .minute)
        let rows = (1...6_000).map { row($0, minute: $0 % 3, count: $0, upTo: 1) }
        try await store.merge(rows, of: StoreTest.log)
        try await reference.merge(rows, of: StoreTest.log)
        for banners in [nil, Set((1...5_000).map(StoreTest.banner)), [StoreTest.banner(7)]] {
            let range = RowRange(banners: banners, minutes: StoreTest.minutes(1...1))
            #expect(try await Set(store.rows(in: range)) == Set(reference.rows(in: range)))
            let totals = try await store.totals(in: range, with: [], of: StoreTest.log)
            #expect(try await Set(totals) == Set(reference.totals(in: range, with: [], of: StoreTest.log)))
        }
    }

    // MARK: - Damage

    @Test("a file that is no database is damaged")
    func noDatabaseIsDamaged() async throws {
        try Data(
            "this is not a database, it is a sentence that is long enough for a header of a hundred bytes or so, I hope."
                .utf8
        )
        .write(to: URL(fileURLWithPath: directory.file()))
        await expectFailure(isDamaged, saying: directory.file()) { _ = try open() }
    }

    @Test("overwritten pages are damaged, not wrong numbers")
    func overwrittenPagesAreDamaged() async throws {
        let store = try open()
        try await store.merge((1...5_000).map { row($0) }, of: StoreTest.log)
        try store.close()
        let handle = try #require(FileHandle(forUpdatingAtPath: directory.file()))
        let size = try handle.seekToEnd()
        // All but the first pages, which hold the schema.
        for page in 12..<size / 4_096 {
            try handle.seek(toOffset: page * 4_096)
            try handle.write(contentsOf: Data(repeating: 0xAB, count: 4_096))
        }
        try handle.close()
        let damaged = try open()
        await expectFailure(isDamaged, saying: directory.file()) { _ = try await damaged.rows(in: .everything) }
        await expectFailure(isDamaged, saying: directory.file()) {
            _ = try await damaged.totals(in: .everything, with: [], of: StoreTest.log)
        }
    }

    static let damages: [(sql: String, layout: Layout, saying: String)] = [
        ("UPDATE minute_counts SET count = -1", .minute, "less than 0"),
        ("UPDATE minute_counts SET up_to = -1", .minute, "up_to -1"),
        ("UPDATE minute_counts SET minute_timestamp = 61", .minute, "timestamp 61"),
        ("UPDATE minute_counts SET banner_id = 0", .minute, "banner_id 0"),
        ("UPDATE minute_counts SET kind = 77", .minute, "kind 77"),
        ("UPDATE minute_counts SET log = 77", .minute, "log 77"),
        ("UPDATE kinds SET name = 'No Kind'", .minute, "No Kind"),
        ("UPDATE logs SET name = ''", .minute, "no name of a log"),
        ("UPDATE hour_counts SET count_by_minute = x''", .hour, "no bytes"),
        ("UPDATE hour_counts SET count_by_minute = x'FF'", .hour, "format 255"),
        ("UPDATE hour_counts SET hour_timestamp = 60", .hour, "timestamp 60"),
    ]

    @Test("values that can't be are damaged", arguments: damages)
    func impossibleValuesAreDamaged(sql: String, layout: Layout, saying: String) async throws {
        let store = try open(layout)
        try await store.merge([row(in: layout)], of: StoreTest.log)
        try store.close()
        try tamper(sql)
        let reopened = try open(layout)
        await expectFailure(isDamaged, saying: directory.file(), saying) {
            _ = try await reopened.rows(in: .everything)
        }
    }

    static let damagesOfTotals = damages.filter { !$0.sql.contains("up_to") && !$0.sql.contains("SET log") }

    @Test("values that can't be are damaged in totals too", arguments: damagesOfTotals)
    func impossibleValuesAreDamagedInTotals(sql: String, layout: Layout, saying: String) async throws {
        let store = try open(layout)
        try await store.merge([row(in: layout)], of: StoreTest.log)
        try store.close()
        try tamper(sql)
        let reopened = try open(layout)
        await expectFailure(isDamaged, saying: directory.file(), saying) {
            _ = try await reopened.totals(in: .everything, with: [], of: StoreTest.log)
        }
    }

    @Test(
        "a checkpoint that can't be is damaged",
        arguments: ["state = x'09'", "state = x''", "up_to = 4", "up_to = -4"])
    func impossibleCheckpointsAreDamaged(_ change: String) async throws {
        let store = try open()
        try await store.save(StoreTest.checkpoint(upTo: 3), of: StoreTest.log)
        try store.close()
        try tamper("UPDATE checkpoints SET \(change)")
        let reopened = try open()
        await expectFailure(isDamaged, saying: directory.file()) {
            _ = try await reopened.checkpoint(of: StoreTest.log)
        }
    }

    @Test(
        "a banner that can't be is damaged",
        arguments: [
            "banner_id = -1", "name = ''", "tags = 'x'", "tags = '[1]'", "tags = '{}'", "is_registered = 2",
            "name = hex(zeroblob(2000))", "target = hex(zeroblob(2000))",
        ])
    func impossibleBannersAreDamaged(_ change: String) async throws {
        let store = try open()
        try await store.save([Banner(id: StoreTest.banner(1), name: "one")])
        try store.close()
        try tamper("UPDATE banners SET \(change)")
        let reopened = try open()
        await expectFailure(isDamaged, saying: directory.file(), "banner") { _ = try await reopened.banners() }
    }

    @Test("two banners can't have one name, and then none of the call is saved")
    func namesAreUnique() async throws {
        let store = try open()
        let first = Banner(id: StoreTest.banner(1), name: "one")
        try await store.save([first])
        await expectFailure(isDamaged, saying: "UNIQUE") {
            try await store.save([Banner(id: StoreTest.banner(2)), Banner(id: StoreTest.banner(3), name: "one")])
        }
        #expect(try await store.banners() == [first])
    }
}
