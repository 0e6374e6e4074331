// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyCore
import Testing

@testable import TallyBackends

@Suite("The schema of an SQLite store")
struct SQLiteSchemaTests: SQLiteStoreTesting {
    let directory: StoreTestDirectory

    init() throws { directory = try StoreTestDirectory() }

    @Test("the other layout is refused with the command that converts", arguments: Layout.allCases)
    func theOtherLayoutIsRefused(_ layout: Layout) async throws {
        try open(layout).close()
        #expect(try SQLiteStore.layout(ofFileAt: path) == layout)
        let other = layout == .minute ? Layout.hour : .minute
        let command = "tally store convert --data \(directory.path) --to \(other.rawValue)"
        await expectFailure(isDamaged, saying: command, path) { _ = try open(other) }
        let store = try open(layout)
        #expect(try await store.rows(in: .everything).isEmpty)
    }

    @Test("several processes may make a file at once")
    func madeAtOnce() async throws {
        for round in 1...10 {
            let path = directory.file("round-\(round).sqlite")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...4 {
                    group.addTask {
                        // Opening blocks, so each has a thread of its own.
                        try await BlockingExecutor().run { try SQLiteStore(path: path, layout: .minute).close() }
                    }
                }
                try await group.waitForAll()
            }
            let store = try SQLiteStore(path: path, layout: .minute)
            #expect(try await store.rows(in: .everything).isEmpty)
            try store.close()
        }
    }

    @Test("of two processes with different layouts one makes the file, and the other is refused")
    func madeInTwoLayouts() async throws {
        for round in 1...10 {
            let path = directory.file("round-\(round).sqlite")
            let opened = await withTaskGroup(of: Layout?.self) { group in
                for index in 0..<4 {
                    group.addTask {
                        let layout = index % 2 == 0 ? Layout.minute : .hour
                        let store = try? await BlockingExecutor().run { try SQLiteStore(path: path, layout: layout) }
                        try? store?.close()
                        return store.map { _ in layout }
                    }
                }
                return await group.reduce(into: Set<Layout>()) { found, layout in
                    if let layout { found.insert(layout) }
                }
            }
            #expect(opened.count == 1, "\(opened)")
            #expect(try SQLiteStore.layout(ofFileAt: path) == opened.first)
        }
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
        try tamper("UPDATE tally_meta SET value = '5' WHERE name = 'schema_version'")
        await expectFailure(isDamaged, saying: path, "version 5", "newer", "up to 4") { _ = try open() }
    }

    @Test("there is no layout where there is no store, or an empty file")
    func aMissingFileHasNoLayout() throws {
        #expect(try SQLiteStore.layout(ofFileAt: path) == nil)
        try overwrite(with: Data())
        #expect(try SQLiteStore.layout(ofFileAt: path) == nil)
        try open().close()
        #expect(try SQLiteStore.layout(ofFileAt: path) == .minute)
    }

    @Test("someone else's SQLite file is refused and stays as it is")
    func aForeignFileIsRefused() async throws {
        try tamper("CREATE TABLE recipes (name TEXT)")
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        await expectFailure(isDamaged, saying: path, "none of tally's") { _ = try open() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }

    @Test("the schema is the documented one", arguments: Layout.allCases)
    func theSchemaIsAsDocumented(_ layout: Layout) async throws {
        let store = try open(layout)
        let names = try await store.read {
            try String.fetchAll($0, sql: "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name")
        }
        let own = layout == .minute ? ["minute_counts", "tally_minutes", "tally_traffic"] : ["hour_counts"]
        let shared = [
            "banners", "banners_by_name", "checkpoints", "grdb_migrations", "kinds", "logs", "tally_meta",
            "tally_sightings",
            "tally_visitors",
        ]
        #expect(names == (own + shared).sorted())
        let meta = try await store.read {
            try String.fetchAll($0, sql: "SELECT name || '=' || value FROM tally_meta ORDER BY name")
        }
        #expect(meta == ["layout=\(layout.rawValue)", "schema_version=4"])
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

    @Test("invalid events stand beside what was sent, and nowhere else")
    func traffic() async throws {
        let store = try open()
        let bot = Kind.click.invalid(.bot)
        for log in StoreTest.logs.prefix(2) {
            try await store.merge(
                [
                    row(count: 7), StoreTest.row(1, bot, minute: 0, count: 2, upTo: 1, .minute),
                    StoreTest.row(1, Kind.click.invalid(.burst), minute: 0, count: 1, upTo: 1, .minute),
                    StoreTest.row(2, .impression, minute: 0, count: .max, upTo: 1, .minute),
                ], of: log)
        }
        let shown = try await store.read { database in
            try GRDB.Row.fetchAll(
                database, sql: "SELECT banner_id, kind, gross, net, bot, burst FROM tally_traffic ORDER BY 1"
            )
            .map { row in row.databaseValues.map(\.description).joined(separator: " ") }
        }
        let full = Int64.max
        #expect(shown == ["1 \"click\" 14 8 4 2", "2 \"impression\" \(full) \(full) 0 0"])
        let kinds = try await store.read {
            try String.fetchAll($0, sql: "SELECT DISTINCT kind FROM tally_minutes ORDER BY 1")
        }
        #expect(kinds == ["click", "impression"])
    }
}
