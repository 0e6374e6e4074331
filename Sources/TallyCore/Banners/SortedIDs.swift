// SPDX-License-Identifier: Apache-2.0

/// Ids in ascending order. New ones are merged in when the order is next asked for: one by one, each would move up to all others.
struct SortedIDs {
    private var sorted: [BannerID]
    private var added: [BannerID] = []

    /// - Parameter sorted: ascending, each once.
    init(sorted: [BannerID]) { self.sorted = sorted }

    /// - Parameter id: not in here yet.
    mutating func insert(_ id: BannerID) { added.append(id) }

    /// Ascending, beginning behind `id`.
    mutating func elements(after id: BannerID?, limit: Int) -> ArraySlice<BannerID> {
        merge()
        let first = id.map(index(behind:)) ?? 0
        return sorted[first...].prefix(limit)
    }

    /// Divides all possible ids into ranges that hold at most `count` of these ids each.
    mutating func ranges(of count: Int) -> [ClosedRange<BannerID>] {
        precondition(count >= 1, "a range holds an id")
        merge()
        var ranges: [ClosedRange<BannerID>] = []
        var first = BannerID.lowest
        for index in stride(from: count, to: sorted.count, by: count) {
            guard let last = BannerID(sorted[index].value - 1) else { continue }
            ranges.append(first...last)
            first = sorted[index]
        }
        return ranges + [first...BannerID.highest]
    }

    private mutating func merge() {
        if added.isEmpty { return }
        added.sort()
        if let last = sorted.last, let first = added.first, last > first {
            var merged: [BannerID] = []
            merged.reserveCapacity(sorted.count + added.count)
            var rest = sorted[...]
            for id in added {
                let end = rest.firstIndex { $0 > id } ?? rest.endIndex
                merged += rest[..<end]
                merged.append(id)
                rest = rest[end...]
            }
            sorted = merged + rest
        } else {
            sorted += added
        }
        added = []
    }

    private func index(behind id: BannerID) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] <= id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
