// SPDX-License-Identifier: Apache-2.0

/// Rows as they are now, of those that changed behind an offset.
package struct RowChanges: Equatable, Sendable {
    /// Absolute sums, so that it does no harm to tell one twice. In the order of their first event.
    package var rows: [Row]
    /// Every change up to here is in `rows`.
    package var upTo: LogOffset
    /// Rows whose last change is not behind this offset may have left the memory, and are missing then.
    package var missingUpTo: LogOffset

    package init(rows: [Row], upTo: LogOffset, missingUpTo: LogOffset) {
        self.rows = rows
        self.upTo = upTo
        self.missingUpTo = missingUpTo
    }
}

extension Aggregator {
    /// What a chunk adds to the latest minutes.
    func minuteAdditions(of chunk: Chunk, isNew: [Bool], kinds indices: [UInt16]) -> [MinuteAddition] {
        var minutes = MinuteAdditions(time: time)
        for delta in chunk.deltas { minutes.add(delta, kind: indices[Int(delta.kind)]) }
        for (identified, isNew) in zip(chunk.identified, isNew) where isNew {
            minutes.add(identified.delta, kind: indices[Int(identified.delta.kind)])
        }
        return minutes.named(kinds)
    }

    /// The rows of these banners that changed behind `offset`. All rows are looked through when a banner is asked for that
    /// nobody asked for since the last flush; otherwise those of the banners alone.
    package mutating func changes(after offset: LogOffset, of banners: Set<BannerID>) -> RowChanges {
        watched.watch(banners, rows: rows)
        let changed = watched.places(of: banners).compactMap { index -> Row? in
            let entry = rows.entries[index]
            guard entry.upTo > offset.value, !entry.flags.contains(.unresolved) else { return nil }
            return Row(key: rowKey(of: entry.key), counts: rows.counts(ofRow: index), upTo: LogOffset(entry.upTo))
        }
        return RowChanges(rows: changed, upTo: resolvedUpTo, missingUpTo: evictedUpTo)
    }

    /// Rows whose last change lies behind it are in memory.
    private var evictedUpTo: LogOffset { max(storedAtStart, LogOffset(rows.removedUpTo)) }

    /// What came to unresolved rows is told when their sums are known, and until then told to be missing.
    private var resolvedUpTo: LogOffset {
        let first = additions.values.compactMap(\.first?.offset).min()
        return min(position, first.map { LogOffset($0.value - 1) } ?? position)
    }
}
