// SPDX-License-Identifier: Apache-2.0

/// What rows of any layout say about each minute, summed over their logs.
package struct MinuteSums: Equatable, Sendable {
    /// A banner, a kind and a minute.
    package typealias Place = RowKey

    package private(set) var counts: [Place: Int64] = [:]

    package init(_ rows: [StoredRow]) {
        for stored in rows {
            for (minute, count) in stored.row.minuteCounts {
                let place = RowKey(banner: stored.row.key.banner, kind: stored.row.key.kind, start: minute)
                counts[place, default: 0] = counts[place, default: 0].addingSaturated(count)
            }
        }
    }
}

/// Where two stores differ: how often, and the first few places.
package struct Differences: Equatable, Sendable {
    package struct Difference: Equatable, Sendable {
        package let place: MinuteSums.Place
        package let first: Int64
        package let second: Int64
    }

    /// The most that are named.
    package static let named = 20

    package private(set) var count = 0
    package private(set) var first: [Difference] = []

    package init() {}

    package mutating func compare(_ first: MinuteSums, _ second: MinuteSums) {
        if first == second { return }
        for place in Set(first.counts.keys).union(second.counts.keys).sorted() {
            let one = first.counts[place] ?? 0
            let other = second.counts[place] ?? 0
            if one != other { add(Difference(place: place, first: one, second: other)) }
        }
    }

    package mutating func add(_ difference: Difference) {
        count += 1
        if first.count < Differences.named { first.append(difference) }
    }
}

extension Differences.Difference: CustomStringConvertible {
    package var description: String {
        "banner \(place.banner), \(place.kind), \(place.start.text()): \(first) in the first, \(second) in the second"
    }
}
