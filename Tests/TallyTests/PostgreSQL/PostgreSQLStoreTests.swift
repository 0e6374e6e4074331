// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import Dispatch
import Foundation
import TallyCore
import TallySimulator
import Testing

@testable import TallyBackends

@Suite("PostgreSQL as a store", .needsPostgreSQL)
struct PostgreSQLStoreTests {
    @Test("writers that take the same rows in other orders wait for each other, and the highest offset wins")
    func writersMeet() async throws {
        try await PostgreSQLTestSchema.use { schema in
            let stores = (0..<3).map { _ in PostgreSQLStore(url: schema.url, layout: .minute) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, store) in stores.enumerated() {
                    group.addTask {
                        for round in 0..<15 {
                            let upTo = Int64(round * 3 + index)
                            let rows = (1...400).map { StoreTest.row($0, minute: 0, count: upTo, upTo: upTo, .minute) }
                            try await store.merge(rows.shuffled(), of: StoreTest.log)
                            // Banners have no offset; they may not collide either.
                            try await store.save((1...50).map { Banner(id: StoreTest.banner($0)) }.shuffled())
                        }
                    }
                }
                try await group.waitForAll()
            }
            let found = try await stores[0].rows(in: .everything).map(\.row.upTo)
            #expect(found == Array(repeating: LogOffset(44), count: 400))
            for store in stores { await store.close() }
        }
    }

    @Test("collisions are tried again: a deadlock with somebody else's transaction")
    func deadlock() async throws {
        let collided = PostgreSQLFailure.refused(state: "40P01", message: "deadlock detected")
        #expect(collided.isCollision)
        let url = try PostgreSQLURL(try #require(TestServer.postgreSQL))
        let pool = PostgreSQLPool(url: url, size: 1, limit: .seconds(10)) { _ throws(PostgreSQLFailure) in }
        let attempts = Counter()
        let value = try await pool.run { _ throws(PostgreSQLFailure) in
            if attempts.next() < 3 { throw collided }
            return "done"
        }
        #expect(value == "done" && attempts.next() == 4)
        await pool.close()
    }

    @Test("a process that stands still in a transaction keeps others waiting for some seconds only")
    func stoppedInTransaction() async throws {
        try await PostgreSQLTestSchema.use { schema in
            let stores = (0..<2).map { _ in PostgreSQLStore(url: schema.url, layout: .minute) }
            try await stores[0].merge([StoreTest.row(1, minute: 0, count: 1, upTo: 1, .minute)], of: StoreTest.log)
            let (stopped, stop) = AsyncStream<Void>.makeStream()
            let goOn = DispatchSemaphore(value: 0)
            let table = PostgreSQLCountTable(layout: .minute).name
            let stoppedProcess = Task {
                try await stores[0].run { connection throws(PostgreSQLFailure) in
                    try connection.transaction { () throws(PostgreSQLFailure) in
                        _ = try connection.run("UPDATE \(table) SET up_to = up_to")
                        stop.finish()
                        goOn.wait()
                    }
                }
            }
            for await _ in stopped {}
            try await stores[1].merge([StoreTest.row(1, minute: 0, count: 5, upTo: 2, .minute)], of: StoreTest.log)
            // The server has ended its connection, and the work is tried again on another one.
            for _ in 0..<5 { goOn.signal() }
            try await stoppedProcess.value
            let rows = try await stores[0].rows(in: .everything)
            #expect(rows.map(\.row.upTo) == [LogOffset(2)])
            for store in stores { await store.close() }
        }
    }

    @Test("a connection that somebody ended is made anew, unseen")
    func endedConnection() async throws {
        try await PostgreSQLTestSchema.use { schema in
            let url = try PostgreSQLURL(schema.url.text + "&application_name=\(schema.name)")
            let store = PostgreSQLStore(url: url, layout: .minute)
            #expect(try await store.logs().isEmpty)
            for round in Int64(1)...3 {
                try await schema.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '\(schema.name)'")
                try await store.merge(
                    [StoreTest.row(1, minute: 0, count: round, upTo: round, .minute)], of: StoreTest.log)
            }
            #expect(try await store.rows(in: .everything).map(\.row.upTo) == [LogOffset(3)])
            await store.close()
        }
    }

    @Test("a statement that takes too long is given up, and the next one works")
    func tooLong() async throws {
        try await PostgreSQLTestSchema.use { schema in
            let store = PostgreSQLStore(url: schema.url, layout: .minute)
            try await store.merge([StoreTest.row(1, minute: 0, count: 1, upTo: 1, .minute)], of: StoreTest.log)
            let pool = PostgreSQLPool(url: schema.url, size: 1, limit: .milliseconds(300)) {
                _ throws(PostgreSQLFailure) in
            }
            await #expect {
                try await pool.run { connection throws(PostgreSQLFailure) in
                    _ = try connection.run("SELECT pg_sleep(60)")
                }
            } throws: { error in
                guard case PostgreSQLFailure.timedOut = error else { return false }
                return true
            }
            let one = try await pool.run { connection throws(PostgreSQLFailure) in
                try connection.run("SELECT 1").integer(0, 0)
            }
            #expect(one == 1)
            await pool.close()
            #expect(try await store.rows(in: .everything).count == 1)
            await store.close()
        }
    }

    @Test(
        "what it can't reach is named, without the password",
        arguments: [
            "postgres://me:s3cret@127.0.0.1:1/counts", "postgres://me:s3cret@host.invalid/counts",
        ])
    func unreachable(text: String) async throws {
        let store = PostgreSQLStore(url: try PostgreSQLURL(text), layout: .minute)
        await #expect {
            try await store.logs()
        } throws: { error in
            guard case StoreError.unavailable(let reason) = error else { return false }
            return reason.contains("/counts") && reason.contains("postgres://") && !reason.contains("s3cret")
        }
    }

    @Test("a wrong password is an error of the store, and isn't repeated")
    func wrongPassword() async throws {
        let server = try #require(TestServer.postgreSQL)
        let url = try PostgreSQLURL(server.replacing(/:[^:@\/]*@/, with: ":wr0ng@"))
        await #expect {
            try await PostgreSQLStore(url: url, layout: .minute).logs()
        } throws: { error in
            guard case StoreError.unavailable(let reason) = error else { return false }
            return reason.contains("password authentication failed") && !reason.contains("wr0ng")
        }
    }

    @Test(
        "what somebody wrote into the tables is not believed",
        arguments: [
            (Layout.minute, "UPDATE tally_minute_counts SET count = -1", "-1"),
            (.minute, "UPDATE tally_minute_counts SET kind = 'No Kind'", "No Kind"),
            (
                .minute, "UPDATE tally_minute_counts SET minute_timestamp = minute_timestamp + interval '1 second'",
                "timestamp"
            ),
            (.minute, "UPDATE tally_minute_counts SET banner_id = -5", "-5"),
            (.minute, "UPDATE tally_minute_counts SET log = 77", "77"),
            (.hour, "UPDATE tally_hour_counts SET count_by_minute = '{\"60\": 1}'", "count_by_minute"),
            (.hour, "UPDATE tally_hour_counts SET count_by_minute = '[1]'", "count_by_minute"),
            (.hour, "UPDATE tally_hour_counts SET count_by_minute = '{\"1\": 1.5}'", "count_by_minute"),
        ])
    func damage(layout: Layout, script: String, word: String) async throws {
        try await PostgreSQLTestSchema.use { schema in
            let store = PostgreSQLStore(url: schema.url, layout: layout)
            try await store.merge([StoreTest.row(1, minute: 0, count: 1, upTo: 1, layout)], of: StoreTest.log)
            try await schema.run(script)
            await #expect {
                try await store.rows(in: .everything)
            } throws: { error in
                guard case StoreError.damaged(let reason) = error else { return false }
                return reason.contains(word)
            }
            await store.close()
        }
    }

    @Test("an hour is the object that stands in the docs")
    func hours() throws {
        var counts = [Int64](repeating: 0, count: 60)
        counts[0] = 4
        counts[59] = .max
        let text = PostgreSQLHour.encode(counts)
        #expect(String(decoding: text, as: UTF8.self) == #"{"0":4,"59":9223372036854775807}"#)
        let decoded = try PostgreSQLHour.decode(text[...])
        #expect(decoded == counts)
        let spaced = try PostgreSQLHour.decode(ArraySlice(#"{ "5" : 1, "7": 0 }"#.utf8))
        #expect(spaced[5] == 1)
        for wrong in [
            "", "{", "{}x", #"{"1":}"#, #"{"1":1,}"#, #"{"a":1}"#, #"{"1":9223372036854775808}"#, #"{"1":-1}"#,
        ] {
            #expect(throws: PostgreSQLFailure.self, "\(wrong)") {
                () throws in _ = try PostgreSQLHour.decode(ArraySlice(wrong.utf8))
            }
        }
    }
}

private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0
    func next() -> Int {
        lock.withLock {
            value += 1
            return value
        }
    }
}

#endif
