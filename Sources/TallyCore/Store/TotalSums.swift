// SPDX-License-Identifier: Apache-2.0

/// Sums by banner and kind.
package struct TotalSums {
    private struct Key: Hashable {
        var banner: BannerID
        var kind: Kind
    }

    private var sums: [Key: Int64] = [:]

    package init() {}

    package mutating func add(_ count: Int64, banner: BannerID, kind: Kind) {
        if count != 0 { sums[Key(banner: banner, kind: kind), default: 0].addSaturated(count) }
    }

    /// Adds the minutes of the row that lie in `minutes`.
    package mutating func add(_ row: Row, within minutes: ClosedRange<Minute>) {
        let count = row.count(within: minutes)
        add(count, banner: row.key.banner, kind: row.key.kind)
    }

    package var totals: [Total] {
        sums.compactMap { key, count in count == 0 ? nil : Total(banner: key.banner, kind: key.kind, count: count) }
    }
}

extension Row {
    /// The sum of the minutes that lie in `minutes`.
    package func count(within minutes: ClosedRange<Minute>) -> Int64 {
        let last = key.start.advanced(by: Int64(counts.layout.minutesPerRow - 1))
        if minutes.lowerBound <= key.start, last <= minutes.upperBound { return counts.total }
        return minuteCounts.reduce(0) { minutes.contains($1.minute) ? $0.addingSaturated($1.count) : $0 }
    }
}

extension Int64 {
    fileprivate mutating func addSaturated(_ other: Int64) { self = addingSaturated(other) }
}
