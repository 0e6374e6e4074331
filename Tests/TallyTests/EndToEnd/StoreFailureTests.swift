// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Testing

extension EndToEndTests {
    @Suite("Without its store the server goes on counting", .timeLimit(.minutes(5)))
    struct StoreFailureTests {
        @Test("a locked store is waited for; counts and answers don't wait", arguments: ["minute", "hour"])
        func lockedStore(layout: String) async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve("--flush-every", "1s", "--layout", layout)
                try await tally.client.click(7, times: 3)
                try await sandbox.whileStoreIsLocked {
                    let start = ContinuousClock.now
                    var clicks = 3
                    // Long enough for a flush to be refused.
                    while start.duration(to: .now) < .seconds(3) {
                        clicks += 1
                        try #require(try await tally.client.count(7).status == 204)
                        try #require(try await tally.client.total(of: 7) == clicks)
                    }
                }
                let clicks = try await tally.client.total(of: 7)
                #expect(try await tally.terminate() == .code(0))
                #expect(try await sandbox.serve("--layout", layout).client.total(of: 7) == clicks)
            }
        }

        @Test("rows are in the store soon after it is free again, for everyone to read")
        func catchesUp() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve("--flush-every", "1s")
                try await sandbox.whileStoreIsLocked {
                    try await tally.client.click(7, times: 3)
                }
                try await eventually("the rows are stored") { try await sandbox.storedTotal(of: 7) == 3 }
            }
        }

        @Test("a kill while the store is locked loses nothing")
        func killedWhileLocked() async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve("--flush-every", "1s")
                try await sandbox.whileStoreIsLocked {
                    try await first.client.click(7, times: 3)
                    try await first.kill()
                }
                #expect(try await sandbox.serve().client.total(of: 7) == 3)
            }
        }

        @Test("a store that is deleted under the server takes no acknowledged event with it")
        func deletedStore() async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve("--flush-every", "1s")
                try await first.client.click(7, times: 3)
                try await eventually("the rows are stored") { try await sandbox.storedTotal(of: 7) == 3 }
                try sandbox.deleteStore()
                try await first.client.click(7, times: 2)
                try await first.kill()
                #expect(try await sandbox.serve().client.total(of: 7) == 5, "the journal still has everything")
            }
        }

        @Test("a store that is gone when the journal alone no longer has everything stops the start")
        func lostStore() async throws {
            try await withSandbox { sandbox in
                let counted = try await sandbox.fillSegments()
                let first = try await sandbox.serve(
                    "--segment-size", "1MiB", "--flush-every", "1s", "--dedup-window", "1s")
                let oldest = try #require(try sandbox.segments().first?.name)
                // A segment is dropped once it is stored and its ids are out of the window, which moves with the events.
                try await eventually("the oldest segment is dropped") {
                    try await first.client.click(8)
                    return try sandbox.segments().first?.name != oldest
                }
                #expect(try await first.client.total(of: 7) == counted)
                #expect(try await first.terminate() == .code(0))
                try sandbox.deleteStore()

                let refused = try await sandbox.run("serve", "--listen", "127.0.0.1:0", "--data", sandbox.data)
                #expect(refused.exit == .code(1), "answering with less than was acknowledged would be a lie")
                #expect(!refused.errors.isEmpty)
            }
        }

        @Test("a store that is no database stops the start, and is named")
        func corruptStore() async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve()
                try await first.client.click(7, times: 3)
                try await first.kill()
                try sandbox.deleteStore()
                let garbage = String(repeating: "no database\n", count: 1000)
                try garbage.write(toFile: sandbox.store, atomically: true, encoding: .utf8)

                let refused = try await sandbox.run("serve", "--listen", "127.0.0.1:0", "--data", sandbox.data)
                #expect(refused.exit == .code(1))
                #expect(refused.errors.contains(sandbox.store), "\(refused.errors)")
                #expect(try String(contentsOfFile: sandbox.store, encoding: .utf8) == garbage)

                try sandbox.deleteStore()
                #expect(try await sandbox.serve().client.total(of: 7) == 3, "the journal still has everything")
            }
        }

        @Test("a store in another place is used there")
        func otherPlace() async throws {
            try await withSandbox { sandbox in
                let path = sandbox.directory.appending("elsewhere.sqlite")
                let tally = try await sandbox.serve("--store", "sqlite:\(path)")
                #expect(try await tally.client.count(7).status == 204)
                #expect(try await tally.terminate() == .code(0))
                #expect(try await sandbox.storedTotal(of: 7, in: path) == 1)
                #expect(!FileManager.default.fileExists(atPath: sandbox.store))
            }
        }
    }
}

extension Sandbox {
    fileprivate var store: String { "\(data)/tally.sqlite" }

    /// Another program holds the store's lock meanwhile, as a careless backup does.
    fileprivate func whileStoreIsLocked(_ body: () async throws -> Void) async throws {
        var configuration = GRDB.Configuration()
        configuration.allowsUnsafeTransactions = true
        let queue = try DatabaseQueue(path: store, configuration: configuration)
        try await queue.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }
        try await body()
        try await queue.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try queue.close()
    }

    /// By the view that is there for everyone with an SQL client.
    func storedTotal(of banner: Int, in path: String? = nil) async throws -> Int {
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: path ?? store, configuration: configuration)
        defer { try? queue.close() }
        return try await queue.read { database in
            let sql = "SELECT coalesce(sum(count), 0) FROM tally_minutes WHERE banner_id = ?"
            return try Int.fetchOne(database, sql: sql, arguments: [banner]) ?? 0
        }
    }

    fileprivate func deleteStore() throws {
        for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: store + suffix) {
            try FileManager.default.removeItem(atPath: store + suffix)
        }
    }
}
