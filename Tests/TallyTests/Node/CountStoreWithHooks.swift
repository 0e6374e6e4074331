// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// A store in memory that does what a test wants before it reads or writes rows.
final class CountStoreWithHooks: CountStore {
    typealias Hook = @Sendable () async throws(StoreError) -> Void

    private struct State {
        var beforeMerge: Hook?
        var beforeLoad: Hook?
        var loads = 0
    }

    private let inner: MemoryStore
    private let state = Mutex(State())

    init(_ inner: MemoryStore = MemoryStore(layout: .minute)) { self.inner = inner }

    func beforeMerge(_ hook: Hook?) { state.withLock { $0.beforeMerge = hook } }
    func beforeLoad(_ hook: Hook?) { state.withLock { $0.beforeLoad = hook } }
    /// How often rows were read by their keys.
    var loads: Int { state.withLock { $0.loads } }

    var layout: Layout { inner.layout }

    @discardableResult
    func merge(_ rows: [Row], of log: LogID) async throws(StoreError) -> RowConflicts {
        let hook = state.withLock { $0.beforeMerge }
        try await hook?()
        return try await inner.merge(rows, of: log)
    }

    func rows(of log: LogID, at keys: [RowKey]) async throws(StoreError) -> [Row] {
        let hook = state.withLock { state in
            state.loads += 1
            return state.beforeLoad
        }
        try await hook?()
        return try await inner.rows(of: log, at: keys)
    }

    func rows(in range: RowRange, limit: Int) async throws(StoreError) -> [StoredRow] {
        try await inner.rows(in: range, limit: limit)
    }

    func totals(in range: RowRange, with unflushed: [StoredRow]) async throws(StoreError) -> [Total] {
        try await inner.totals(in: range, with: unflushed)
    }

    func expire(before horizon: Horizon, of log: LogID) async throws(StoreError) {
        try await inner.expire(before: horizon, of: log)
    }

    func horizon(of log: LogID) async throws(StoreError) -> Horizon { try await inner.horizon(of: log) }

    func merge(_ sightings: [Sighting]) async throws(StoreError) { try await inner.merge(sightings) }

    func sightings(of banners: Set<BannerID>?, in days: ClosedRange<Day>) async throws(StoreError) -> [Sighting] {
        try await inner.sightings(of: banners, in: days)
    }

    func logs() async throws(StoreError) -> [LogID] { try await inner.logs() }

    func checkpoint(of log: LogID) async throws(StoreError) -> Checkpoint? { try await inner.checkpoint(of: log) }

    func save(_ checkpoint: Checkpoint, of log: LogID) async throws(StoreError) {
        try await inner.save(checkpoint, of: log)
    }
}
