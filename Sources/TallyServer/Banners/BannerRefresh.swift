// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import TallyCore

/// Hears from the store, again and again, which banners other servers have registered.
struct BannerRefresh: Service {
    let banners: BannerRegistry
    let interval: Duration
    let logger: Logger
    /// Asked before the store is.
    var isNeeded: @Sendable () -> Bool = { true }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: interval) } catch { break }
                if isNeeded() { await refresh() }
            }
        }
    }

    private func refresh() async {
        do throws(StoreError) {
            try await banners.refresh()
        } catch {
            logger.warning("the store did not tell which banners there are", metadata: ["error": "\(error)"])
        }
    }
}
