// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import TallyCore
import Testing

@testable import TallyBackends

/// Two real servers, each a shard of one cluster, with a ZooKeeper.
@Suite("A store on a cluster of ClickHouse", .serialized, .timeLimit(.minutes(10)))
struct ClickHouseClusterTests {
    @Test("it keeps the contract, with its rows on both shards", arguments: Layout.allCases)
    func contract(_ layout: Layout) async throws {
        try await withCluster { cluster in
            for (index, promise) in CountStoreSuite.promises.enumerated() {
                try await cluster.withStore(layout, database: "promise_\(index)") { store in
                    try await promise.check(CountStoreSuite(store: store))
                }
            }
            try await cluster.withStore(layout, database: "alike") { store in
                try await StoreComparison(layout: layout, seed: 5).run(store)
            }
            try await cluster.withStore(layout, database: "spread") { store in
                let rows = (1...1_000).map { StoreTest.row($0, minute: 0, count: 1, upTo: 1, layout) }
                try await store.merge(rows, of: StoreTest.log)
                try await store.save(rows.map { Banner(id: $0.key.banner) })
                let counts = try await cluster.ask("SELECT count() FROM spread.tally_counts_local")
                #expect(counts.compactMap(Int.init).reduce(0, +) == 1_000)
                #expect(counts.compactMap(Int.init).allSatisfy { $0 > 400 }, "\(counts)")
                #expect(try await cluster.ask("SELECT count() FROM spread.tally_minutes") == ["1000", "1000"])
                #expect(try await cluster.ask("SELECT count() FROM spread.tally_banners_local") == ["1000", "0"])
            }
        }
    }

    @Test("it keeps the contract of banners")
    func banners() async throws {
        try await withCluster { cluster in
            for (index, promise) in BannerStoreSuite.promises.enumerated() {
                try await cluster.withStore(.minute, database: "promise_\(index)") { store in
                    try await promise.check(BannerStoreSuite(store: store))
                }
            }
        }
    }

    private struct Cluster {
        let ports: [Int]

        private func url(_ port: Int, database: String, _ rest: String = "") throws -> ClickHouseURL {
            try ClickHouseURL("clickhouse://tally:tally-test-secret@127.0.0.1:\(port)/\(database)\(rest)")
        }

        func withStore(
            _ layout: Layout, database: String, _ body: (ClickHouseStore) async throws -> Void
        ) async throws {
            _ = try await ask("CREATE DATABASE \(database)")
            let store = ClickHouseStore(try url(ports[0], database: database, "?cluster=tally"), layout: layout)
            do {
                try await body(store)
                try await store.close()
            } catch {
                try? await store.close()
                throw error
            }
        }

        /// - Returns: what each server says, without the last line feed.
        func ask(_ sql: String) async throws -> [String] {
            var answers: [String] = []
            for port in ports {
                let answer = try await ClickHouseTestServer.run(.definition(sql), on: url(port, database: "default"))
                answers.append(answer.trimmingCharacters(in: .newlines))
            }
            return answers
        }
    }

    private func withCluster(_ body: (Cluster) async throws -> Void) async throws {
        _ = try ClickHouseTestServer.old.address()
        try await withSandbox { sandbox in
            let ports = try Sandbox.freePorts(7).map(String.init)
            let keeper = sandbox.directory.appending("zookeeper")
            _ = try sandbox.startService("zookeeper", in: keeper, port: Int(ports[0])!)
            try await sandbox.waitForService("zookeeper", in: keeper, port: Int(ports[0])!)
            let http = [Int(ports[1])!, Int(ports[2])!]
            for index in 0...1 {
                let directory = sandbox.directory.appending("shard\(index)")
                _ = try sandbox.startService(
                    "clickhouse", in: directory, port: http[index],
                    [ports[3 + index], ports[5 + index], "\(index)", "a", ports[0], "\(ports[3]) \(ports[4])"])
                try await sandbox.waitForService("clickhouse", in: directory, port: http[index])
            }
            try await body(Cluster(ports: http))
        }
    }
}
