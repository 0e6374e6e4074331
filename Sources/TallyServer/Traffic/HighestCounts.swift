// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The banners with the highest of the counts that were added, in memory for twice as many at most.
struct HighestCounts {
    struct Entry: Equatable {
        let banner: BannerID
        let count: Int64
    }

    private let limit: Int
    private var entries: [Entry] = []
    /// A lower count is not among the highest.
    private var floor: Int64 = 1

    /// - Parameter limit: at least 1.
    init(limit: Int) { self.limit = limit }

    /// - Parameter banner: was not added before. A count below 1 is none.
    mutating func add(_ count: Int64, of banner: BannerID) {
        guard count >= floor else { return }
        entries.append(Entry(banner: banner, count: count))
        if entries.count >= 2 * limit { cut() }
    }

    /// The highest first; of equal counts, the banner with the lower id.
    var sorted: ArraySlice<Entry> {
        entries.sorted { ($1.count, $0.banner) < ($0.count, $1.banner) }.prefix(limit)
    }

    private mutating func cut() {
        entries = Array(sorted)
        floor = entries.last?.count ?? floor
    }
}
