// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Answers from what is stored and what is not flushed yet, merged by the one rule: a count that was acknowledged is in
/// the very next answer.
///
/// The unflushed rows are taken first, always: what is flushed in between is in both, and the higher offset wins.
///
/// While the store is away, the latest minutes are answered from memory alone, where all of them are.
package struct Query: Sendable {
    private let log: LogID
    private let store: any CountStore
    private let aggregation: Aggregation

    package init(log: LogID, store: any CountStore, aggregation: Aggregation) {
        self.log = log
        self.store = store
        self.aggregation = aggregation
    }

    /// - Returns: the minutes in which something was counted, sorted by (banner, kind, minute).
    package func minuteCounts(in range: RowRange) async throws(StoreError) -> [MinuteCount] {
        let unflushed = aggregation.unflushed(in: range)
        let stored: [StoredRow]
        do throws(StoreError) {
            stored = try await store.rows(in: range)
        } catch {
            guard case .unavailable = error, let held = aggregation.held(in: range) else { throw error }
            let rows = held.map { StoredRow(log: log, row: $0) }
            return MinuteCount.merge(stored: rows, unflushed: [], of: log, in: range, layout: store.layout)
        }
        return MinuteCount.merge(stored: stored, unflushed: unflushed, of: log, in: range, layout: store.layout)
    }

    /// - Returns: sorted by (banner, kind).
    package func totals(in range: RowRange) async throws(StoreError) -> [Total] {
        do throws(StoreError) {
            return try await storedTotals(in: range)
        } catch {
            guard case .unavailable = error, let held = aggregation.held(in: range) else { throw error }
            var sums = TotalSums()
            for row in held where range.contains(row.key.banner, row.key.kind) { sums.add(row, within: range.minutes) }
            return sums.totals.sorted { ($0.banner, $0.kind) < ($1.banner, $1.kind) }
        }
    }

    private func storedTotals(in range: RowRange) async throws(StoreError) -> [Total] {
        let unflushed = aggregation.unflushed(in: range)
        let unresolved = unflushed.filter { if case .additions = $0.content { true } else { false } }
        let stored = unresolved.isEmpty ? [] : try await store.rows(of: log, at: unresolved.map(\.key))
        let storedByKey = Dictionary(stored.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let rows = unflushed.map { $0.merged(with: storedByKey[$0.key], layout: store.layout) }
        let totals = try await store.totals(in: range, with: rows, of: log)
        return totals.sorted { ($0.banner, $0.kind) < ($1.banner, $1.kind) }
    }
}
