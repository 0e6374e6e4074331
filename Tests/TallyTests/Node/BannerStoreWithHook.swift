// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// Runs what a test wants to happen while banners are being saved.
final class BannerStoreWithHook: BannerStore {
    typealias Hook = @Sendable ([Banner]) async throws(StoreError) -> Void

    let inner = MemoryBannerStore()
    private let hook = Mutex<Hook?>(nil)

    /// Is called before each save until it is taken away.
    func beforeSave(_ hook: Hook?) { self.hook.withLock { $0 = hook } }

    func banners() async throws(StoreError) -> [Banner] { try await inner.banners() }

    func save(_ banners: [Banner]) async throws(StoreError) {
        let hook = hook.withLock { $0 }
        try await hook?(banners)
        try await inner.save(banners)
    }
}
