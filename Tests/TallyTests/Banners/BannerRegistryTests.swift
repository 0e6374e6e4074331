// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore
import Testing

@testable import TallyServer

@Suite("Banners are saved") struct BannerRegistryTests {
    private static let id = BannerID(1)!

    @Test("one save at a time, so that no older one comes last")
    func oneSaveAtATime() async throws {
        let store = BannerStoreWithHook()
        let registry = BannerRegistry(directory: BannerDirectory(), store: store)
        let saving = Atomic<Int>(0)
        let mostAtOnce = Atomic<Int>(0)
        store.beforeSave { _ in
            let now = saving.add(1, ordering: .relaxed).newValue
            mostAtOnce.max(now, ordering: .relaxed)
            // The earlier one is the slower one.
            try? await Task.sleep(for: .milliseconds(now == 1 ? 20 : 1))
            saving.subtract(1, ordering: .relaxed)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...20 {
                group.addTask {
                    _ = try await registry.register(Banner(id: Self.id, name: "/\(number)", isRegistered: true))
                }
            }
            try await group.waitForAll()
        }
        #expect(mostAtOnce.load(ordering: .relaxed) == 1)
        let saved = try await store.banners()
        #expect(saved == [registry.banner(Self.id)])
    }

    @Test("who waited for a save that failed tries for himself")
    func failedSave() async throws {
        let store = BannerStoreWithHook()
        let registry = BannerRegistry(directory: BannerDirectory(), store: store)
        store.beforeSave { _ throws(StoreError) in
            store.beforeSave(nil)
            try? await Task.sleep(for: .milliseconds(20))
            throw .unavailable("the store is away")
        }
        async let first = try? registry.register(names: ["/a"])
        async let second = try? registry.register(names: ["/b"])
        let succeeded = await [first, second].compactMap { $0 }
        #expect(succeeded.count == 1)
        let saved = try await store.banners()
        #expect(saved.count == 2)
    }
}
