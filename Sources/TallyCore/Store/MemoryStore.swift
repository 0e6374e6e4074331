// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The reference: dictionaries. It defines what the contract means and is what unit tests count into; it survives nothing.
package final class MemoryStore: CountStore {
    private struct Key: Hashable {
        var log: LogID
        var row: RowKey
    }

    private struct State {
        var rows: [Key: Row] = [:]
        var checkpoints: [LogID: Checkpoint] = [:]
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

    package func merge(_ rows: [Row], of log: LogID) async throws(StoreError) {
        try access { state in
            for row in rows {
                precondition(row.counts.layout == layout, "rows come in the layout of their store")
                let key = Key(log: log, row: row.key)
                if let stored = state.rows[key], stored.upTo >= row.upTo { continue }
                state.rows[key] = row
            }
        }
    }

    package func rows(of log: LogID, at keys: [RowKey]) async throws(StoreError) -> [Row] {
        try access { state in keys.compactMap { state.rows[Key(log: log, row: $0)] } }
    }

    package func rows(in range: RowRange) async throws(StoreError) -> [StoredRow] {
        try access { state in
            state.rows.compactMap { key, row in
                range.overlaps(key.row, layout: layout) ? StoredRow(log: key.log, row: row) : nil
            }
        }
    }

    package func totals(in range: RowRange, with unflushed: [Row], of log: LogID) async throws(StoreError) -> [Total] {
        var rows = try access { $0.rows }
        for row in unflushed {
            let key = Key(log: log, row: row.key)
            if let stored = rows[key], stored.upTo >= row.upTo { continue }
            rows[key] = row
        }
        var sums = TotalSums()
        for (key, row) in rows where range.overlaps(key.row, layout: layout) { sums.add(row, within: range.minutes) }
        return sums.totals
    }

    package func checkpoint(of log: LogID) async throws(StoreError) -> Checkpoint? {
        try access { $0.checkpoints[log] }
    }

    package func save(_ checkpoint: Checkpoint, of log: LogID) async throws(StoreError) {
        try access { state in
            if let saved = state.checkpoints[log], saved.upTo > checkpoint.upTo { return }
            state.checkpoints[log] = checkpoint
        }
    }

    private func access<Value>(_ body: (inout State) -> Value) throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = state.withLock { state in
            if let outage = state.outage { return .failure(outage) }
            return .success(body(&state))
        }
        return try result.get()
    }
}
