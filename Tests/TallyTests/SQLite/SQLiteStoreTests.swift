// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyCore
import Testing

@testable import TallyBackends

@Suite("SQLiteStore")
struct SQLiteStoreTests: SQLiteStoreTesting {
    let directory: StoreTestDirectory

    init() throws { directory = try StoreTestDirectory() }

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
            let copied = try ChildProcess(
                executable: "/bin/cp", arguments: [directory.file(name), crashed.file(name)], environment: [:])
            #expect(try await copied.waitForExit() == .code(0))
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
        await expectFailure(isUnavailable, saying: path) {
            try await store.merge([row()], of: StoreTest.log)
        }
        await expectFailure(isUnavailable, saying: path) { _ = try await store.rows(in: .everything) }
    }

    @Test("a file that was deleted is noticed by reads and writes", arguments: ["", "-wal"])
    func aDeletedFileIsNoticed(_ suffix: String) async throws {
        let store = try open()
        try await store.merge([row()], of: StoreTest.log)
        try FileManager.default.removeItem(atPath: path + suffix)
        for _ in 1...2 {
            await expectFailure(isUnavailable, saying: path + suffix, "deleted") {
                try await store.merge([row(upTo: 2)], of: StoreTest.log)
            }
            await expectFailure(isUnavailable, saying: "deleted") { _ = try await store.rows(in: .everything) }
            await expectFailure(isUnavailable, saying: "deleted") {
                try await store.save([Banner(id: StoreTest.banner(1))])
            }
        }
        #expect(!FileManager.default.fileExists(atPath: path + suffix), "nothing takes its place unasked")
    }

    @Test("a file that is deleted in the middle of a write is noticed before the write returns")
    func aFileDeletedInAWriteIsNoticed() async throws {
        let store = try open()
        await expectFailure(isUnavailable, saying: path, "deleted") {
            try await store.write { database in
                try database.execute(sql: "INSERT INTO kinds (name) VALUES ('late')")
                try FileManager.default.removeItem(atPath: path)
            }
        }
    }

    @Test("a file that was deleted and made anew is noticed, and one that was put back is used again")
    func aReplacedFileIsNoticed() async throws {
        let store = try open()
        let aside = directory.file("aside.sqlite")
        try FileManager.default.moveItem(atPath: path, toPath: aside)
        try overwrite(with: Data())
        await expectFailure(isUnavailable, saying: "replaced") { try await store.merge([row()], of: StoreTest.log) }
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: aside, toPath: path)
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
        let other = try DatabaseQueue(path: path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        await expectFailure(isUnavailable, saying: path, "locked") {
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
        await expectFailure(isUnavailable, saying: path, "full") {
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
