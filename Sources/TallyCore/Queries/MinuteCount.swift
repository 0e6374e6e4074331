// SPDX-License-Identifier: Apache-2.0

/// The answer for one banner, kind and minute: the sum over all logs.
package struct MinuteCount: Hashable, Sendable {
    package var banner: BannerID
    package var kind: Kind
    package var minute: Minute
    /// At least 1.
    package var count: Int64

    package init(banner: BannerID, kind: Kind, minute: Minute, count: Int64) {
        self.banner = banner
        self.kind = kind
        self.minute = minute
        self.count = count
    }
}

extension MinuteCount: Comparable {
    /// By (banner, kind, minute).
    package static func < (left: MinuteCount, right: MinuteCount) -> Bool {
        if left.banner != right.banner { return left.banner < right.banner }
        if left.kind != right.kind { return left.kind < right.kind }
        return left.minute < right.minute
    }
}

extension MinuteCount {
    /// What is stored and what is not flushed yet, merged by the one rule and then summed over logs.
    ///
    /// - Parameters:
    ///   - stored: rows of any logs, each key of a log once, read after `unflushed` was taken.
    ///   - unflushed: what the aggregator of `log` has beyond the store.
    /// - Returns: the minutes of the range in which something was counted, sorted.
    package static func merge(
        stored: [StoredRow], unflushed: [UnflushedRow], of log: LogID, in range: RowRange, layout: Layout
    ) -> [MinuteCount] {
        var pending = Dictionary(uniqueKeysWithValues: unflushed.map { ($0.key, $0) })
        var minutes: [MinuteCount] = []
        minutes.reserveCapacity(stored.count + unflushed.count)
        for entry in stored {
            let unflushed = entry.log == log ? pending.removeValue(forKey: entry.row.key) : nil
            append(unflushed?.merged(with: entry.row, layout: layout) ?? entry.row, in: range, to: &minutes)
        }
        for row in pending.values { append(row.merged(with: nil, layout: layout), in: range, to: &minutes) }
        minutes.sort()
        return summed(minutes)
    }

    private static func append(_ row: Row, in range: RowRange, to minutes: inout [MinuteCount]) {
        guard range.contains(row.key.banner, row.key.kind) else { return }
        for (minute, count) in row.minuteCounts where range.minutes.contains(minute) {
            minutes.append(MinuteCount(banner: row.key.banner, kind: row.key.kind, minute: minute, count: count))
        }
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
