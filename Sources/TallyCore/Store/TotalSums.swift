// SPDX-License-Identifier: Apache-2.0

/// Sums by banner and kind, with the first and the last minute that was added.
package struct TotalSums {
    private struct Key: Hashable {
        var banner: BannerID
        var kind: Kind
    }

    private var sums: [Key: Total] = [:]

    package init() {}

    /// Adds what was counted between two minutes; a count of 0 adds nothing.
    package mutating func add(_ count: Int64, banner: BannerID, kind: Kind, minutes: ClosedRange<Minute>) {
        guard count != 0 else { return }
        let key = Key(banner: banner, kind: kind)
        guard var total = sums[key] else {
            sums[key] = Total(banner: banner, kind: kind, count: count, minutes: minutes)
            return
        }
        total.count = total.count.addingSaturated(count)
        let first = min(total.minutes.lowerBound, minutes.lowerBound)
        let last = max(total.minutes.upperBound, minutes.upperBound)
        total.minutes = first...last
        sums[key] = total
    }

    /// Adds the minutes of the row that lie in `range`.
    package mutating func add(_ row: Row, within range: ClosedRange<Minute>) {
        for (minute, count) in row.minuteCounts where range.contains(minute) {
            add(count, banner: row.key.banner, kind: row.key.kind, minutes: minute...minute)
        }
    }

    /// In no particular order.
    package var totals: [Total] { Array(sums.values) }
}
