// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import TallyBackends
import TallyCore
import Testing

@Suite("PostgreSQL keeps the contract", .needsPostgreSQL)
struct PostgreSQLContractTests {
    @Test("counts", arguments: Layout.allCases.map(StoreSubjects.postgreSQL), CountStoreSuite.promises)
    func counts(_ subject: StoreSubject<any TallyBackends.Store>, _ promise: CountStoreSuite.Promise) async throws {
        try await subject.keeps(promise)
    }

    @Test("banners", arguments: BannerStoreSuite.promises)
    func banners(_ promise: BannerStoreSuite.Promise) async throws {
        try await StoreSubjects.postgreSQL(.minute).keeps(promise)
    }

    @Test("it answers as memory does", arguments: Layout.allCases, [UInt64(1), 2, 3, 4, 5])
    func answersAsMemory(_ layout: Layout, seed: UInt64) async throws {
        try await StoreSubjects.postgreSQL(layout).answersAsMemory(layout, seed: seed)
    }
}

#endif
