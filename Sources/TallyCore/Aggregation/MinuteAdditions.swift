// SPDX-License-Identifier: Apache-2.0

/// What a chunk added to one kind and minute, over all banners.
package struct MinuteAddition: Equatable, Sendable {
    package var kind: Kind
    package var minute: Minute
    package var count: Int64

    package init(kind: Kind, minute: Minute, count: Int64) {
        self.kind = kind
        self.minute = minute
        self.count = count
    }
}

/// Sums up what one chunk adds to the latest minutes. Older minutes are left out: nobody watches them, and an import has
/// thousands.
struct MinuteAdditions {
    /// How many minutes before the log's time are summed up.
    static let minutes: Int64 = 120

    private struct Entry {
        var kind: UInt16
        var minute: Minute
        var count: Int64
    }

    private let earliest: Minute
    private var entries: [Entry] = []
    /// Where the last one was found. A chunk is sorted by banner, so the next one stands behind it more often than not.
    private var last = 0

    init(time: Timestamp) { earliest = Minute(time).advanced(by: -MinuteAdditions.minutes) }

    mutating func add(_ delta: Delta, kind: UInt16) {
        guard delta.minute >= earliest else { return }
        for step in 0..<entries.count {
            let index = (last + step) % entries.count
            guard entries[index].minute == delta.minute, entries[index].kind == kind else { continue }
            entries[index].count = entries[index].count.addingSaturated(delta.count)
            last = index
            return
        }
        last = entries.count
        entries.append(Entry(kind: kind, minute: delta.minute, count: delta.count))
    }

    func named(_ kinds: KindTable) -> [MinuteAddition] {
        entries.map { MinuteAddition(kind: kinds[$0.kind], minute: $0.minute, count: $0.count) }
    }
}
