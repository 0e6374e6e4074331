// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

@testable import TallyServer

/// What the live stream reads, as a test says it is.
final class LiveChangesInMemory: LiveSource {
    struct State {
        var changes = LiveChanges()
        var state = LiveState(from: .first, upTo: .none)
        var storeError: StoreError?
        /// How often the changes were read.
        var reads = 0
    }

    let log: LogID
    let state = Mutex(State())

    init(log: LogID) { self.log = log }

    /// The sum of all clicks changes.
    func tell(count: Int64, at offset: Int64) {
        state.withLock { state in
            state.changes.upTo = LogOffset(offset)
            state.changes.sums = [
                LiveChanges.Sum(kind: .click, minute: .first, count: count, upTo: LogOffset(offset))
            ]
        }
    }

    var position: LogOffset { state.withLock { $0.changes.upTo } }

    func changes(after offset: LogOffset, of banners: Set<BannerID>) -> LiveChanges {
        state.withLock { state in
            state.reads += 1
            return state.changes
        }
    }

    func prepare(_ topic: LiveTopic) async throws(StoreError) {
        if let error = state.withLock({ $0.storeError }) { throw error }
    }

    func state(of topic: LiveTopic) async throws(StoreError) -> LiveState {
        try await prepare(topic)
        return state.withLock { $0.state }
    }
}
