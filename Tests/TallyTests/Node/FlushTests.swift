// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallyServer
import Testing

@Suite("Flushes of a running node") struct FlushTests {
    @Test("A banner that is seen during a flush is known after a crash")
    func bannerSeenDuringAFlush() async throws {
        let bannerStore = BannerStoreWithHook()
        let fixture = NodeFixture(bannerStore: bannerStore)
        try await fixture.run(flushAtEnd: false) { node in
            _ = try await node.count(banner: 1)
            bannerStore.beforeSave { _ in
                bannerStore.beforeSave { _ throws(StoreError) in throw .unavailable("the test pulled the plug") }
                _ = try? await node.count(banner: 2)
            }
            await node.keeper.flush()
        }
        bannerStore.beforeSave(nil)
        try await fixture.run { node in
            #expect(node.banners(after: nil, limit: 10).map(\.id.value) == [1, 2])
        }
    }
}
