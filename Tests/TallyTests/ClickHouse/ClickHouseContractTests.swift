// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore
import TallySimulator
import Testing

@Suite("ClickHouse keeps the contract of stores", .timeLimit(.minutes(10)))
struct ClickHouseContractTests {
    @Test("counts", arguments: ClickHouseSubject.all, CountStoreSuite.promises)
    func countStoreKeeps(_ subject: ClickHouseSubject, _ promise: CountStoreSuite.Promise) async throws {
        try await subject.withStore { try await promise.check(CountStoreSuite(store: $0)) }
    }

    @Test("banners", arguments: ClickHouseTestServer.allCases, BannerStoreSuite.promises)
    func bannerStoreKeeps(_ server: ClickHouseTestServer, _ promise: BannerStoreSuite.Promise) async throws {
        try await ClickHouseSubject(server: server, layout: .minute).withStore {
            try await promise.check(BannerStoreSuite(store: $0))
        }
    }

    @Test("memory and ClickHouse answer alike", arguments: ClickHouseSubject.all, [UInt64(1), 2, 3])
    func memoryAndClickHouseAnswerAlike(_ subject: ClickHouseSubject, seed: UInt64) async throws {
        try await subject.withStore { try await StoreComparison(layout: subject.layout, seed: seed).run($0) }
    }
}
