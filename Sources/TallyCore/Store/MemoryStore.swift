// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The reference: dictionaries. It defines what the contract means and is what unit tests count into; it survives nothing.
package final class MemoryStore: CountStore {
    private struct State {
        var counts = StoredCounts()
        var outage: StoreError?
    }

    package let layout: Layout
    private let state = Mutex(State())

    package init(layout: Layout) { self.layout = layout }

    /// For tests: while set, every call throws it.
    package var outage: StoreError? {
        get { state.withLock { $0.outage } }
        set { state.withLock { $0.outage = newValue } }
    }

    @discardableResult
    package func merge(_ rows: [Row], of log: LogID) async throws(StoreError) -> RowConflicts {
        for row in rows { precondition(row.counts.layout == layout, "rows come in the layout of their store") }
        return try access { $0.merge(rows, of: log) }
    }

    package func expire(before horizon: Horizon, of log: LogID) async throws(StoreError) {
        try access { $0.expire(before: horizon, of: log) }
    }

    package func horizon(of log: LogID) async throws(StoreError) -> Horizon { try access { $0.horizon(of: log) } }

    package func rows(of log: LogID, at keys: [RowKey]) async throws(StoreError) -> [Row] {
        try access { $0.rows(of: log, at: keys) }
    }

    package func rows(in range: RowRange, limit: Int) async throws(StoreError) -> [StoredRow] {
        let rows = try access { $0.rows(in: range, layout: layout) }
        guard rows.count <= limit else { throw .tooManyRows(limit: limit) }
        return rows
    }

    package func totals(in range: RowRange, with unflushed: [StoredRow]) async throws(StoreError) -> [Total] {
        var counts = try access { counts in counts }
        for one in unflushed { counts.merge([one.row], of: one.log) }
        var sums = TotalSums()
        for stored in counts.rows(in: range, layout: layout) { sums.add(stored.row, within: range.minutes) }
        return sums.totals
    }

    package func merge(_ sightings: [Sighting]) async throws(StoreError) { try access { $0.merge(sightings) } }

    package func sightings(
        of banners: Set<BannerID>?, in days: ClosedRange<Day>
    ) async throws(StoreError) -> [Sighting] {
        try access { $0.sightings(of: banners, in: days) }
    }

    package func logs() async throws(StoreError) -> [LogID] { try access { $0.logs } }

    package func checkpoint(of log: LogID) async throws(StoreError) -> Checkpoint? {
        try access { $0.checkpoint(of: log) }
    }

    package func save(_ checkpoint: Checkpoint, of log: LogID) async throws(StoreError) {
        try access { $0.save(checkpoint, of: log) }
    }

    private func access<Value>(_ body: (inout StoredCounts) -> Value) throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = state.withLock { state in
            if let outage = state.outage { return .failure(outage) }
            return .success(body(&state.counts))
        }
        return try result.get()
    }
}
