// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// Runs what a test wants to happen while banners are being saved.
final class BannerStoreWithHook: BannerStore {
    typealias Hook = @Sendable ([Banner]) async throws(StoreError) -> Void

    let inner = MemoryBannerStore()
    private let hook = Mutex<Hook?>(nil)
    private let away = Mutex<StoreError?>(nil)

    /// While set, every call throws it.
    var outage: StoreError? {
        get { away.withLock { $0 } }
        set { away.withLock { $0 = newValue } }
    }

    /// Is called before each save until it is taken away.
    func beforeSave(_ hook: Hook?) { self.hook.withLock { $0 = hook } }

    func banners() async throws(StoreError) -> [Banner] {
        if let outage { throw outage }
        return try await inner.banners()
    }

    func save(_ banners: [Banner]) async throws(StoreError) {
        if let outage { throw outage }
        let hook = hook.withLock { $0 }
        try await hook?(banners)
        try await inner.save(banners)
    }
}
