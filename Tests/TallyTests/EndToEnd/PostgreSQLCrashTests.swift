// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import Foundation
import TallyCore
import TallySimulator
import Testing

@testable import TallyBackends

extension EndToEndTests {
    @Suite("PostgreSQL is killed between any two statements", .needsPostgreSQL, .timeLimit(.minutes(5)))
    struct PostgreSQLCrashTests {
        @Test("whatever it acknowledged is there", arguments: Layout.allCases)
        func killedBetweenStatements(layout: Layout) async throws {
            try await withSandbox { sandbox in
                let server = try PostgreSQLServer(in: sandbox)
                try await server.start()
                let store = PostgreSQLStore(url: try PostgreSQLURL(server.url), layout: layout)
                func killAndStart() async throws {
                    try await server.kill()
                    try await server.start()
                }
                try await store.prepare()
                try await killAndStart()
                let reference = MemoryStore(layout: layout)
                for upTo in Int64(1)...3 {
                    let rows = (1...100).map { StoreTest.row($0, minute: upTo, count: upTo, upTo: upTo, layout) }
                    try await store.merge(rows, of: StoreTest.log)
                    try await killAndStart()
                    try await store.save(StoreTest.checkpoint(upTo: upTo), of: StoreTest.log)
                    try await killAndStart()
                    try await store.save([Banner(id: StoreTest.banner(upTo), name: "banner \(upTo)")])
                    try await killAndStart()
                    try await reference.merge(rows, of: StoreTest.log)
                    #expect(try await Set(store.rows(in: .everything)) == Set(reference.rows(in: .everything)))
                    #expect(try await store.checkpoint(of: StoreTest.log) == StoreTest.checkpoint(upTo: upTo))
                    #expect(try await store.banners().count == Int(upTo))
                }
                await store.close()
            }
        }

        @Test("flushes that are cut off are done again, and end in the same rows", arguments: Layout.allCases)
        func killed(layout: Layout) async throws {
            let seed = UInt64.random(in: 1...UInt64.max)
            print("PostgreSQLCrashTests: seed \(seed)")
            var random = SeededGenerator(seed: seed)
            try await withSandbox { sandbox in
                let server = try PostgreSQLServer(in: sandbox)
                try await server.start()
                let store = PostgreSQLStore(url: try PostgreSQLURL(server.url), layout: layout, limit: .seconds(5))
                var expected = StoredCounts()
                for round in 1...8 {
                    let upTo = Int64(round * 10)
                    // More than one statement.
                    let rows = (1...25_000).map { StoreTest.row(Int64($0), minute: 0, count: upTo, upTo: upTo, layout) }
                    expected.merge(rows, of: StoreTest.log)
                    let delay = Duration.milliseconds(random.number(0...400))
                    async let flushed: Void = flush(rows, upTo: upTo, to: store)
                    try await Task.sleep(for: delay)
                    try await server.kill()
                    // While it is down the flush fails, if it was not quicker; it is done again until it succeeds.
                    try await server.start()
                    try await flushed
                    #expect(try await store.checkpoint(of: StoreTest.log)?.upTo == LogOffset(upTo), "seed \(seed)")
                }
                let found = try await store.rows(in: .everything)
                #expect(Set(found) == Set(expected.rows(in: .everything, layout: layout)), "seed \(seed)")
                await store.close()
            }
        }

        /// As the keeper of a store does: the rows, then the checkpoint; and all of it again after a failure.
        private func flush(_ rows: [Row], upTo: Int64, to store: PostgreSQLStore) async throws {
            for _ in 0..<1_000 {
                do throws(StoreError) {
                    try await store.merge(rows, of: StoreTest.log)
                    return try await store.save(StoreTest.checkpoint(upTo: upTo), of: StoreTest.log)
                } catch {
                    guard case .unavailable = error else { throw error }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            throw HarnessError("the store never came back")
        }

        @Test("a server that is paused is given up in time, on old connections and on new ones")
        func paused() async throws {
            try await withSandbox { sandbox in
                let server = try PostgreSQLServer(in: sandbox)
                try await server.start()
                let url = try PostgreSQLURL(server.url + "?connect_timeout=2")
                let store = PostgreSQLStore(url: url, layout: .minute, limit: .seconds(1))
                try await store.merge([StoreTest.row(1, minute: 0, count: 1, upTo: 1, .minute)], of: StoreTest.log)
                server.pause()
                // More than the kernel takes for a server that doesn't read.
                let large = (1...200_000).map { StoreTest.row(Int64($0), minute: 1, count: 1, upTo: 2, .minute) }
                for _ in 0..<2 {
                    let started = ContinuousClock.now
                    await #expect {
                        try await store.merge(large, of: StoreTest.log)
                    } throws: { error in
                        guard case StoreError.unavailable(let reason) = error else { return false }
                        return reason.contains(server.name)
                    }
                    #expect(ContinuousClock.now - started < .seconds(15))
                }
                server.resume()
                try await eventually("it answers again") {
                    try await store.merge(large, of: StoreTest.log)
                    return try await store.totals(in: .everything, with: []).count == 200_000
                }
                await store.close()
            }
        }
    }
}

#endif
