// SPDX-License-Identifier: Apache-2.0

extension Aggregator {
    /// What the store doesn't have, within the range, in no particular order.
    ///
    /// Take this first and read the store afterwards: what is flushed in between is then in both, and the higher offset
    /// wins. The other way round it would be in neither.
    package func unflushed(in range: RowRange) -> [UnflushedRow] {
        guard let banners = range.banners, let candidates = candidateCount(banners, in: range), candidates < rows.count
        else { return rows.entries.indices.compactMap { unflushed(row: $0, in: range) } }
        var found: [UnflushedRow] = []
        let starts = rowStarts(in: range)
        for banner in banners {
            for kind in kinds.kinds.indices {
                for start in starts {
                    let key = RowTable.Key(banner: banner.value, start: start, kind: UInt16(kind))
                    if let index = rows.find(key), let row = unflushed(row: index, in: range) { found.append(row) }
                }
            }
        }
        return found
    }

    /// Of visitors, those that the store may lack.
    package func sightings(of banners: Set<BannerID>, in days: ClosedRange<Day>) -> [Sighting] {
        heldSightings.all(of: banners, in: days)
    }

    /// All rows of the range, whether or not the store has them too.
    /// - Returns: nil when only the store knows: the range begins before the rows that are in memory.
    package func held(in range: RowRange) -> [Row]? {
        guard Int64(layout.rowStart(of: range.minutes.lowerBound).sinceEpoch) >= completeFrom else { return nil }
        var held: [Row] = []
        for (index, entry) in rows.entries.enumerated() {
            let key = rowKey(of: entry.key)
            guard range.overlaps(key, layout: layout) else { continue }
            if entry.flags.contains(.unresolved) { return nil }
            held.append(Row(key: key, counts: rows.counts(ofRow: index), upTo: LogOffset(entry.upTo)))
        }
        return held
    }

    private func unflushed(row index: Int, in range: RowRange) -> UnflushedRow? {
        let entry = rows.entries[index]
        guard entry.flags.contains(.changed) || entry.flags.contains(.unresolved) else { return nil }
        let key = rowKey(of: entry.key)
        guard range.overlaps(key, layout: layout) else { return nil }
        if entry.flags.contains(.unresolved) {
            return UnflushedRow(key: key, content: .additions(additions[index] ?? []))
        }
        return UnflushedRow(key: key, content: .sum(rows.counts(ofRow: index), upTo: LogOffset(entry.upTo)))
    }

    /// How many keys the range could have; nil when too many to think about.
    private func candidateCount(_ banners: Set<BannerID>, in range: RowRange) -> Int? {
        let minutes = Int(range.minutes.upperBound.sinceEpoch - range.minutes.lowerBound.sinceEpoch)
        let (perKind, overflow) = (minutes / layout.minutesPerRow + 2).multipliedReportingOverflow(by: banners.count)
        let (all, overflowToo) = perKind.multipliedReportingOverflow(by: max(1, kinds.kinds.count))
        return overflow || overflowToo ? nil : all
    }

    private func rowStarts(in range: RowRange) -> StrideThrough<UInt32> {
        let first = layout.rowStart(of: range.minutes.lowerBound).sinceEpoch
        return stride(from: first, through: range.minutes.upperBound.sinceEpoch, by: layout.minutesPerRow)
    }
}
