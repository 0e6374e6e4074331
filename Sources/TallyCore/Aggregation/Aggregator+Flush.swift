// SPDX-License-Identifier: Apache-2.0

/// What has to be written to the store: first the rows and the sightings, then the checkpoint.
package struct Flush: Equatable, Sendable {
    /// In the order of their first change; each key once.
    package let rows: [Row]
    /// Each place once.
    package let sightings: [Sighting]
    package let checkpoint: Checkpoint
}

extension Aggregator {
    /// Rows wait for their stored sums; nothing is flushed before they are known.
    package var hasUnresolvedRows: Bool { !additions.isEmpty }
    /// How many rows wait for their stored sums.
    package var unresolvedRowCount: Int { additions.count }
    /// Rows wait for somebody to load them.
    package var hasRowsToLoad: Bool { !toLoad.isEmpty }
    /// There is something that the store doesn't have.
    package var hasUnflushed: Bool { position > checkpoint.upTo }

    /// The rows to read from the store, in order of their first appearance; each key is returned once until
    /// `loadFailed` gives it back.
    package mutating func takeKeysToLoad(most: Int) -> [RowKey] {
        let keys = Array(toLoad.prefix(most))
        // Of a slice, whose beginning just moves: there may be millions.
        toLoad.removeFirst(keys.count)
        return keys
    }

    /// The store did not answer: these keys have to be loaded later.
    package mutating func loadFailed(_ keys: [RowKey]) { toLoad.append(contentsOf: keys) }

    /// The store has answered for `keys`; one that has no row in `stored` isn't stored.
    package mutating func resolve(_ keys: [RowKey], with stored: [Row]) {
        let storedByKey = Dictionary(stored.map { ($0.key, $0) }, uniquingKeysWith: { $0.upTo >= $1.upTo ? $0 : $1 })
        for key in keys {
            guard let tableKey = tableKey(of: key), let index = rows.find(tableKey),
                rows.entries[index].flags.contains(.unresolved)
            else { preconditionFailure("a row is resolved that was not asked for") }
            rows.setFlags(.loaded, ofRow: index)
            let included = storedByKey[key]?.upTo.value ?? 0
            if let row = storedByKey[key] { rows.load(row.counts, upTo: row.upTo.value, intoRow: index) }
            for addition in additions.removeValue(forKey: index) ?? [] where addition.offset.value > included {
                rows.add(addition.count, toRow: index, minute: addition.minute, upTo: addition.offset.value)
            }
        }
    }

    /// All that changed since the last flush that was finished. Nothing changes here: a flush that fails is begun again,
    /// with the rows as they are then.
    /// - Returns: nil when there is nothing to flush, or while rows are unresolved.
    package func beginFlush() -> Flush? {
        guard hasUnflushed, !hasUnresolvedRows else { return nil }
        let changed = rows.entries.indices.compactMap { index -> Row? in
            let entry = rows.entries[index]
            guard entry.flags.contains(.changed) else { return nil }
            return Row(key: rowKey(of: entry.key), counts: rows.counts(ofRow: index), upTo: LogOffset(entry.upTo))
        }
        return Flush(rows: changed, sightings: heldSightings.all, checkpoint: nextCheckpoint)
    }

    private var nextCheckpoint: Checkpoint {
        Checkpoint(
            upTo: position, readFrom: seen.oldest?.offset ?? position.next, timeBefore: seen.oldest?.timeBefore ?? time,
            lastMinute: lastMinute, kinds: kinds.kinds, sequences: ledger.counted,
            confirmedMissing: ledger.confirmed, settings: checkpoint.settings)
    }

    /// The rows and the checkpoint are in the store. Rows that are unlikely to change again leave the memory.
    package mutating func finishFlush(_ flush: Flush) {
        guard flush.checkpoint.upTo > checkpoint.upTo else { return }
        checkpoint = flush.checkpoint
        rows.markUnchanged(upTo: flush.checkpoint.upTo.value)
        for sighting in flush.sightings { heldSightings.didStore(sighting) }
        evict()
    }

    /// Rows of the present and the previous minutes stay, since more is likely to come.
    private mutating func evict() {
        let recent = Minute(time).advanced(by: -2)
        let keptFrom = max(completeFrom, Int64(layout.rowStart(of: recent).sinceEpoch))
        completeFrom = keptFrom
        // Unresolved rows are known by their index: with any of them in memory, nothing moves.
        guard additions.isEmpty else { return }
        watched.forget()
        rows.keep { entry in
            Int64(entry.key.start) >= keptFrom || entry.flags.contains(.changed) || entry.flags.contains(.unresolved)
        }
    }
}
