// SPDX-License-Identifier: Apache-2.0

/// What a store has, in dictionaries: the reference of what `CountStore` means.
package struct StoredCounts: Sendable {
    private var rows: [LogID: [RowKey: Row]] = [:]
    private var checkpoints: [LogID: Checkpoint] = [:]
    private var horizons: [LogID: Horizon] = [:]
    private var sightings: [Sighting.Place: UInt8] = [:]

    package init() {}

    @discardableResult
    package mutating func merge(_ rows: [Row], of log: LogID) -> RowConflicts {
        let horizon = horizons[log] ?? .none
        var conflicts = RowConflicts()
        for row in rows where row.key.start >= horizon.collapsed {
            let stored = self.rows[log]?[row.key]
            if let conflict = RowConflict(stored: stored, given: row) { conflicts.add(conflict) }
            if row.replaces(stored) { self.rows[log, default: [:]][row.key] = row }
        }
        return conflicts
    }

    package mutating func expire(before horizon: Horizon, of log: LogID) {
        let horizon = horizon.merged(with: horizons[log] ?? .none)
        horizons[log] = horizon
        sightings = sightings.filter { $0.key.day >= Day(of: horizon.dropped) }
        guard let all = rows[log] else { return }
        rows[log] = Dictionary(uniqueKeysWithValues: horizon.applied(to: Array(all.values)).map { ($0.key, $0) })
    }

    package func horizon(of log: LogID) -> Horizon { horizons[log] ?? .none }

    package func row(of log: LogID, at key: RowKey) -> Row? { rows[log]?[key] }

    package func rows(of log: LogID, at keys: [RowKey]) -> [Row] { keys.compactMap { rows[log]?[$0] } }

    package func rows(in range: RowRange, layout: Layout) -> [StoredRow] {
        rows.flatMap { log, rows in
            rows.values.filter { range.overlaps($0.key, layout: layout) }.map { StoredRow(log: log, row: $0) }
        }
    }

    package mutating func merge(_ sightings: [Sighting]) {
        for sighting in sightings { self.sightings.note(sighting) }
    }

    /// 0 where nobody was sighted.
    package func rank(at place: Sighting.Place) -> UInt8 { sightings[place] ?? 0 }

    package func sightings(of banners: Set<BannerID>?, in days: ClosedRange<Day>) -> [Sighting] {
        sightings.filter { days.contains($0.key.day) && banners?.contains($0.key.banner) ?? true }.sightings
    }

    package var logs: [LogID] { Set(rows.keys).union(checkpoints.keys).sorted() }

    package func checkpoint(of log: LogID) -> Checkpoint? { checkpoints[log] }

    package mutating func save(_ checkpoint: Checkpoint, of log: LogID) {
        if checkpoint.replaces(checkpoints[log]) { checkpoints[log] = checkpoint }
    }
}
