// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyBackends

/// Two real servers that are replicas of one shard, with a ZooKeeper, one of which is killed or lags behind.
@Suite("A store on replicas of ClickHouse", .serialized, .timeLimit(.minutes(10)))
struct ClickHouseReplicaTests {
    @Test("it keeps the contract")
    func contract() async throws {
        try await ClickHouseTestCluster.use("ab") { cluster in
            for (index, promise) in CountStoreSuite.promises.enumerated() {
                try await cluster.withStore(.minute, database: "promise_\(index)") { store in
                    try await promise.check(CountStoreSuite(store: store))
                }
            }
            for (index, promise) in BannerStoreSuite.promises.enumerated() {
                try await cluster.withStore(.minute, database: "banners_\(index)") { store in
                    try await promise.check(BannerStoreSuite(store: store))
                }
            }
        }
    }

    @Test("what was acknowledged is in the next answer of each replica, and survives either of them")
    func killed() async throws {
        try await ClickHouseTestCluster.use("ab") { cluster in
            let stores = try [0, 1].map { try cluster.store(.minute, through: $0, timeout: .seconds(6)) }
            try await stores[0].prepare()
            for upTo in Int64(1)...6 {
                let writer = Int(upTo % 2)
                try await flush(upTo, to: stores[writer])
                try await cluster.kill(writer)
                try await expect(upTo, in: stores[1 - writer])
                // Alone it can't promise that, and says so.
                let error = await #expect(throws: StoreError.self) { try await flush(upTo + 1, to: stores[1 - writer]) }
                #expect(error.map { isUnavailable($0) } == true, "\(String(describing: error))")
                try await expect(upTo, in: stores[1 - writer])
                try await cluster.start(writer)
                try await eventually("both take rows again", within: .seconds(60)) {
                    (try? await flush(upTo, to: stores[writer])) != nil
                }
                for store in stores { try await expect(upTo, in: store) }
            }
            for store in stores { try await store.close() }
        }
    }

    @Test("a replica that lags behind is no reason to acknowledge, nor an answer")
    func lagging() async throws {
        try await ClickHouseTestCluster.use("abc") { cluster in
            let stores = try (0...2).map { try cluster.store(.minute, through: $0, timeout: .seconds(6)) }
            try await flush(1, to: stores[0])
            for store in stores { try await expect(1, in: store) }

            let tables = ["tally_counts_local", "tally_checkpoints_local"]
            for table in tables { _ = try await cluster.ask("SYSTEM STOP FETCHES default.\(table)", of: 2) }
            try await flush(2, to: stores[0])
            for store in stores[0...1] { try await expect(2, in: store) }
            let count = try await cluster.ask("SELECT max(count) FROM default.tally_counts_local", of: 2)
            #expect(count == "1", "it does lag behind")
            let error = await #expect(throws: StoreError.self) { try await stores[2].rows(in: .everything) }
            #expect(error?.description.contains("Replica doesn't have part") == true, "\(String(describing: error))")

            for table in tables { _ = try await cluster.ask("SYSTEM STOP FETCHES default.\(table)", of: 1) }
            await #expect(throws: StoreError.self) { try await flush(3, to: stores[0]) }
            for table in tables {
                for index in 1...2 { _ = try await cluster.ask("SYSTEM START FETCHES default.\(table)", of: index) }
            }
            try await eventually("enough replicas take rows again", within: .seconds(60)) {
                (try? await flush(3, to: stores[0])) != nil
            }
            for store in stores { try await expect(3, in: store) }
            for store in stores { try await store.close() }
        }
    }

    /// As the keeper of a store does.
    private func flush(_ upTo: Int64, to store: ClickHouseStore) async throws(StoreError) {
        let rows = (1...50).map { StoreTest.row($0, minute: $0, count: upTo, upTo: upTo, store.layout) }
        try await store.merge(rows, of: StoreTest.log)
        try await store.save(StoreTest.checkpoint(upTo: upTo), of: StoreTest.log)
    }

    /// The rows and the checkpoint of this flush, or of a later one that nobody was told of.
    private func expect(_ upTo: Int64, in store: ClickHouseStore, at place: SourceLocation = #_sourceLocation)
        async throws
    {
        let rows = try await store.rows(in: .everything)
        #expect(rows.count == 50, sourceLocation: place)
        #expect(rows.allSatisfy { $0.row.upTo.value >= upTo }, sourceLocation: place)
        let checkpoint = try await store.checkpoint(of: StoreTest.log)
        #expect((checkpoint?.upTo.value ?? 0) >= upTo, sourceLocation: place)
    }

    private func isUnavailable(_ error: StoreError) -> Bool {
        if case .unavailable = error { true } else { false }
    }
}
