// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The reference: a dictionary. It survives nothing.
package final class MemoryBannerStore: BannerStore {
    private let state = Mutex<[BannerID: Banner]>([:])

    package init() {}

    package func banners() async throws(StoreError) -> [Banner] { state.withLock { Array($0.values) } }

    package func save(_ banners: [Banner]) async throws(StoreError) {
        state.withLock { state in for banner in banners { state[banner.id] = banner } }
    }
}
