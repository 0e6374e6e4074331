// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import Testing

@testable import TallyBackends

@Suite("What can't be in an SQLite store")
struct SQLiteDamageTests: SQLiteStoreTesting {
    let directory: StoreTestDirectory

    init() throws { directory = try StoreTestDirectory() }

    @Test("a file that is no database is damaged")
    func noDatabaseIsDamaged() async throws {
        let sentence = "this is not a database, it is a sentence that is longer than the header of one. "
        try overwrite(with: Data(String(repeating: sentence, count: 2).utf8))
        await expectFailure(isDamaged, saying: path) { _ = try open() }
    }

    @Test("overwritten pages are damaged, not wrong numbers")
    func overwrittenPagesAreDamaged() async throws {
        let store = try open()
        try await store.merge((1...5_000).map { row($0) }, of: StoreTest.log)
        try store.close()
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        let size = try handle.seekToEnd()
        // All but the first pages, which hold the schema.
        for page in 12..<size / 4_096 {
            try handle.seek(toOffset: page * 4_096)
            try handle.write(contentsOf: Data(repeating: 0xAB, count: 4_096))
        }
        try handle.close()
        let damaged = try open()
        await expectFailure(isDamaged, saying: path) { _ = try await damaged.rows(in: .everything) }
        await expectFailure(isDamaged, saying: path) {
            _ = try await damaged.totals(in: .everything, with: [])
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
        let store = try await open(layout, tamperedBy: sql) { try await $0.merge([row(in: layout)], of: StoreTest.log) }
        await expectFailure(isDamaged, saying: path, saying) {
            _ = try await store.rows(in: .everything)
        }
    }

    static let damagesOfTotals = damages.filter { !$0.sql.contains("up_to") && !$0.sql.contains("SET log") }

    @Test("values that can't be are damaged in totals too", arguments: damagesOfTotals)
    func impossibleValuesAreDamagedInTotals(sql: String, layout: Layout, saying: String) async throws {
        let store = try await open(layout, tamperedBy: sql) { try await $0.merge([row(in: layout)], of: StoreTest.log) }
        await expectFailure(isDamaged, saying: path, saying) {
            _ = try await store.totals(in: .everything, with: [])
        }
    }

    @Test(
        "a checkpoint that can't be is damaged",
        arguments: ["state = x'09'", "state = x''", "up_to = 4", "up_to = -4"])
    func impossibleCheckpointsAreDamaged(_ change: String) async throws {
        let store = try await open(tamperedBy: "UPDATE checkpoints SET \(change)") { store in
            try await store.save(StoreTest.checkpoint(upTo: 3), of: StoreTest.log)
        }
        await expectFailure(isDamaged, saying: path) {
            _ = try await store.checkpoint(of: StoreTest.log)
        }
    }

    @Test(
        "a banner that can't be is damaged",
        arguments: [
            "banner_id = -1", "name = ''", "tags = 'x'", "tags = '[1]'", "tags = '{}'", "is_registered = 2",
            "name = hex(zeroblob(2000))", "target = hex(zeroblob(2000))",
        ])
    func impossibleBannersAreDamaged(_ change: String) async throws {
        let store = try await open(tamperedBy: "UPDATE banners SET \(change)") { store in
            try await store.save([Banner(id: StoreTest.banner(1), name: "one")])
        }
        await expectFailure(isDamaged, saying: path, "banner") { _ = try await store.banners() }
    }
}
