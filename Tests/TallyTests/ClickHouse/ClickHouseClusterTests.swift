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
        try await ClickHouseTestCluster.use("0 1") { cluster in
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
        try await ClickHouseTestCluster.use("0 1") { cluster in
            for (index, promise) in BannerStoreSuite.promises.enumerated() {
                try await cluster.withStore(.minute, database: "promise_\(index)") { store in
                    try await promise.check(BannerStoreSuite(store: store))
                }
            }
        }
    }
}
