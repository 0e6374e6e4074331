// SPDX-License-Identifier: Apache-2.0

extension MinuteCount {
    /// What is stored and what is not flushed yet, each log merged by the one rule, and then summed over logs.
    ///
    /// - Parameters:
    ///   - stored: rows of any logs, each key of a log once, read after `unflushed` was taken.
    ///   - unflushed: what the aggregators of some logs have beyond the store.
    /// - Returns: the minutes of the range in which something was counted, sorted.
    package static func merge(
        stored: [StoredRow], unflushed: [LogID: [UnflushedRow]], in range: RowRange, layout: Layout
    ) -> [MinuteCount] {
        let unflushedCount = unflushed.values.reduce(0) { $0 + $1.count }
        var merging = Merging(range: range, capacity: stored.count * layout.minutesPerRow + unflushedCount)
        // Most ranges lie in the past: there is nothing to look up then.
        if unflushedCount == 0 {
            merging.add(stored)
            return merging.sorted()
        }
        var pending = unflushed.mapValues { rows in
            Dictionary(rows.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        }
        for entry in stored {
            let unflushed = pending[entry.log]?.removeValue(forKey: entry.row.key)
            merging.add(unflushed?.merged(with: entry.row, layout: layout) ?? entry.row)
        }
        for rows in pending.values {
            for row in rows.values { merging.add(row.merged(with: nil, layout: layout)) }
        }
        return merging.sorted()
    }

    /// The same where the rows of one log alone are not flushed.
    package static func merge(
        stored: [StoredRow], unflushed: [UnflushedRow], of log: LogID, in range: RowRange, layout: Layout
    ) -> [MinuteCount] {
        merge(stored: stored, unflushed: [log: unflushed], in: range, layout: layout)
    }

    /// Collects the minutes of rows. Stores return rows in their order, nearly always, so that there is nothing to sort.
    private struct Merging {
        private let range: RowRange
        private var minutes: [MinuteCount] = []
        private var isSorted = true
        /// Of the last row: neighbours are nearly always of the same series.
        private var banner: BannerID?
        private var kind = Kind.click
        private var isContained = false
        /// The last one that was found in the series of the last row.
        private var minute: Minute?

        init(range: RowRange, capacity: Int) {
            self.range = range
            minutes.reserveCapacity(min(capacity, 1 << 16))
        }

        /// Looks at the rows where they are: to copy one costs more than all the rest.
        mutating func add(_ rows: [StoredRow]) {
            for index in rows.indices {
                if rows[index].row.key.banner != banner || rows[index].row.key.kind != kind {
                    begin(rows[index].row.key.banner, rows[index].row.key.kind)
                }
                guard isContained else { continue }
                if case .minute(let count) = rows[index].row.counts {
                    if count != 0 { add(count, in: rows[index].row.key.start) }
                } else {
                    rows[index].row.forEachMinute { add($1, in: $0) }
                }
            }
        }

        mutating func add(_ row: Row) {
            if row.key.banner != banner || row.key.kind != kind { begin(row.key.banner, row.key.kind) }
            if isContained { row.forEachMinute { add($1, in: $0) } }
        }

        private mutating func begin(_ banner: BannerID, _ kind: Kind) {
            if let last = self.banner, (banner, kind) < (last, self.kind) { isSorted = false }
            (self.banner, self.kind, minute) = (banner, kind, nil)
            isContained = range.contains(banner, kind)
        }

        private mutating func add(_ count: Int64, in minute: Minute) {
            guard range.minutes.contains(minute) else { return }
            if let last = self.minute, minute <= last { isSorted = false }
            self.minute = minute
            guard let banner else { preconditionFailure("a minute is one of a series") }
            minutes.append(MinuteCount(banner: banner, kind: kind, minute: minute, count: count))
        }

        consuming func sorted() -> [MinuteCount] {
            if isSorted { return minutes }
            minutes.sort()
            return Merging.summed(minutes)
        }

        /// Rows of several logs may speak of the same minute.
        private static func summed(_ sorted: [MinuteCount]) -> [MinuteCount] {
            var sums: [MinuteCount] = []
            sums.reserveCapacity(sorted.count)
            for next in sorted {
                if let last = sums.last, !(last < next) {
                    sums[sums.count - 1].count = last.count.addingSaturated(next.count)
                } else {
                    sums.append(next)
                }
            }
            return sums
        }
    }
}
