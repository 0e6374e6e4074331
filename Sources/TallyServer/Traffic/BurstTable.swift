// SPDX-License-Identifier: Apache-2.0

/// How often each visitor came to each banner of late. The memory is bounded: when there is no room, the oldest is forgotten,
/// and then begins anew. So somebody may pass for less than he is, and nobody for more.
///
/// A window begins with a visitor's first event on a banner, and the next one with the first event behind its end.
struct BurstTable: Sendable {
    private struct Slot: Sendable {
        var key: UInt64 = 0
        /// In milliseconds of the clock that the owner reads.
        var began: Int64 = 0
        /// 0 when it is free.
        var count: UInt32 = 0
    }

    /// So many neighbours are looked at.
    private static let neighbours = 8

    private let limit: UInt32
    private let window: Int64
    private var slots: [Slot]

    /// - Parameters:
    ///   - limit: so many events in a window are a person's.
    ///   - window: in milliseconds.
    ///   - slots: a power of two, at least 8.
    init(limit: Int, window: Int64, slots: Int) {
        precondition(slots >= BurstTable.neighbours && slots & (slots - 1) == 0, "a power of two")
        self.limit = UInt32(clamping: limit)
        self.window = window
        self.slots = Array(repeating: Slot(), count: slots)
    }

    /// Counts one more event.
    /// - Returns: whether it is more than a person does.
    mutating func count(_ key: UInt64, at now: Int64) -> Bool {
        let place = self.place(of: key, now: now)
        if slots[place].count == 0 || slots[place].key != key || now - slots[place].began >= window {
            slots[place] = Slot(key: key, began: now, count: 1)
        } else if slots[place].count < .max {
            slots[place].count += 1
        }
        return slots[place].count > limit
    }

    /// Where the key stands, or else a free place, one whose window is over, or the oldest.
    private func place(of key: UInt64, now: Int64) -> Int {
        let first = Int(truncatingIfNeeded: key) & (slots.count - 1) & ~(BurstTable.neighbours - 1)
        var best = first
        for place in first..<first + BurstTable.neighbours {
            if slots[place].count > 0, slots[place].key == key { return place }
            if slots[best].count > 0, slots[place].count == 0 || slots[place].began < slots[best].began { best = place }
        }
        return best
    }
}
