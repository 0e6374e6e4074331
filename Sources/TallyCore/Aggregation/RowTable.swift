// SPDX-License-Identifier: Apache-2.0

/// The rows that are held in memory: a hash table by open addressing over arrays, about 40 to 50 bytes a row in the layout
/// `minute`. Rows keep the order in which they came, so nothing depends on the hash.
struct RowTable: Sendable {
    struct Key: Equatable {
        var banner: Int64
        var start: UInt32
        var kind: UInt16
    }

    struct Entry {
        var key: Key
        var flags: Flags
        /// The offset of the last chunk that is included.
        var upTo: Int64
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The store does not have it like this.
        static let changed = Flags(rawValue: 1)
        /// What the store has is not known yet; `Aggregator` keeps the additions apart.
        static let unresolved = Flags(rawValue: 2)
        /// It is as the store returned it: its `upTo` may lie ahead of the chunk that is being applied.
        static let loaded = Flags(rawValue: 4)
    }

    private let minutesPerRow: Int
    private let hash: KeyedHash
    private(set) var entries: [Entry] = []
    /// The last change of any row that was removed.
    private(set) var removedUpTo: Int64 = 0
    private var counts: [Int64] = []
    /// Index into `entries`, or -1; its size is a power of two and at least twice the entries.
    private var slots: [Int32]

    /// - Parameter seed: makes the places unpredictable for whoever chooses the banner ids; it has no other effect.
    init(layout: Layout, seed: UInt64) {
        self.minutesPerRow = layout.minutesPerRow
        hash = KeyedHash(seed: seed)
        self.slots = Array(repeating: -1, count: 64)
    }

    var count: Int { entries.count }

    func find(_ key: Key) -> Int? {
        let found = slots[slot(of: key)]
        return found < 0 ? nil : Int(found)
    }

    /// - Returns: the row's index, and whether it is new. A new row is all zeros, without flags.
    mutating func findOrInsert(_ key: Key) -> (index: Int, isNew: Bool) {
        let slot = slot(of: key)
        if slots[slot] >= 0 { return (Int(slots[slot]), false) }
        let index = entries.count
        entries.append(Entry(key: key, flags: [], upTo: 0))
        counts.append(contentsOf: repeatElement(0, count: minutesPerRow))
        slots[slot] = Int32(index)
        if entries.count * 2 > slots.count { rebuildSlots(count: slots.count * 2) }
        return (index, true)
    }

    /// - Parameter minute: the minute's place in the row, from 0.
    mutating func add(_ count: Int64, toRow index: Int, minute: Int, upTo: Int64) {
        let place = index * minutesPerRow + minute
        counts[place] = counts[place].addingSaturated(count)
        // Changed once, since each access to an array asks whether it is its only owner.
        var entry = entries[index]
        entry.upTo = upTo
        entry.flags = entry.flags.union(.changed).subtracting(.loaded)
        entries[index] = entry
    }

    /// Adds deltas of one kind and minute to their rows, up to the first that is of another, or whose row is not there, is
    /// unresolved or loaded.
    /// - Parameters:
    ///   - start: where rows of this minute begin; `minute` is its place in them.
    /// - Returns: how many were added, and their sum.
    mutating func add(
        _ deltas: ArraySlice<Delta>, start: UInt32, kind: UInt16, minute: Int, upTo: Int64
    ) -> (count: Int, sum: Int64) {
        let (hash, minutesPerRow) = (hash, minutesPerRow)
        return withRows { slots, entries, counts in
            deltas.withUnsafeBufferPointer { deltas in
                var sum: Int64 = 0
                for (place, delta) in deltas.enumerated() {
                    guard delta.minute == deltas[0].minute, delta.kind == deltas[0].kind else { return (place, sum) }
                    let key = Key(banner: delta.banner.value, start: start, kind: kind)
                    let found = slots[RowTable.slot(of: key, hash, slots, entries)]
                    guard found >= 0, entries[Int(found)].flags.isDisjoint(with: [.unresolved, .loaded]) else {
                        return (place, sum)
                    }
                    let count = Int(found) * minutesPerRow + minute
                    counts[count] = counts[count].addingSaturated(delta.count)
                    entries[Int(found)].upTo = upTo
                    entries[Int(found)].flags = .changed
                    sum = sum.addingSaturated(delta.count)
                }
                return (deltas.count, sum)
            }
        }
    }

    /// Each access to an array asks whether it is its only owner; here once for all.
    private mutating func withRows<Value>(
        _ body: (UnsafeBufferPointer<Int32>, UnsafeMutableBufferPointer<Entry>, UnsafeMutableBufferPointer<Int64>) ->
            Value
    ) -> Value {
        slots.withUnsafeBufferPointer { slots in
            entries.withUnsafeMutableBufferPointer { entries in
                counts.withUnsafeMutableBufferPointer { counts in body(slots, entries, counts) }
            }
        }
    }

    mutating func setFlags(_ flags: Flags, ofRow index: Int) { entries[index].flags = flags }

    /// Puts in what the store has.
    mutating func load(_ stored: RowCounts, upTo: Int64, intoRow index: Int) {
        for minute in 0..<minutesPerRow { counts[index * minutesPerRow + minute] = stored[minute] }
        entries[index].upTo = upTo
    }

    func counts(ofRow index: Int) -> RowCounts {
        guard minutesPerRow > 1 else { return .minute(counts[index]) }
        return .hour(Array(counts[index * minutesPerRow..<(index + 1) * minutesPerRow]))
    }

    /// Removes rows, which changes the indices of those that stay.
    mutating func keep(where isKept: (Entry) -> Bool) {
        for entry in entries where !isKept(entry) { removedUpTo = max(removedUpTo, entry.upTo) }
        var kept = 0
        for index in entries.indices where isKept(entries[index]) {
            if kept != index {
                entries[kept] = entries[index]
                for minute in 0..<minutesPerRow {
                    counts[kept * minutesPerRow + minute] = counts[index * minutesPerRow + minute]
                }
            }
            kept += 1
        }
        guard kept < entries.count else { return }
        entries.removeLast(entries.count - kept)
        counts.removeLast(counts.count - kept * minutesPerRow)
        var size = slots.count
        while size > 64, kept * 4 < size { size /= 2 }
        rebuildSlots(count: size)
        shrinkStorage()
    }

    mutating func markUnchanged(upTo: Int64) {
        for index in entries.indices where entries[index].upTo <= upTo { entries[index].flags.remove(.changed) }
    }

    /// The slot that holds the key, or the free one where it belongs (linear probing).
    private func slot(of key: Key) -> Int {
        slots.withUnsafeBufferPointer { slots in
            entries.withUnsafeBufferPointer { entries in RowTable.slot(of: key, hash, slots, entries) }
        }
    }

    @inline(__always)
    private static func slot<Entries: Collection<Entry>>(
        of key: Key, _ hash: KeyedHash, _ slots: UnsafeBufferPointer<Int32>, _ entries: Entries
    ) -> Int where Entries.Index == Int {
        Probing.place(of: place(of: key, hash), in: slots.count) { place in
            slots[place] >= 0 && entries[Int(slots[place])].key != key
        }
    }

    /// Sixteen neighbouring banners share a cache line of slots, since chunks are sorted by banner; where the line is,
    /// says the rest of the key.
    @inline(__always)
    private static func place(of key: Key, _ hash: KeyedHash) -> UInt64 {
        let banner = UInt64(bitPattern: key.banner)
        let rest = UInt64(key.start) << 16 | UInt64(key.kind)
        return hash(banner >> 4, rest) << 4 | banner & 15
    }

    private mutating func rebuildSlots(count: Int) {
        slots = Array(repeating: -1, count: count)
        for index in entries.indices { slots[slot(of: entries[index].key)] = Int32(index) }
    }

    /// Gives memory back after a flush that let most rows go.
    private mutating func shrinkStorage() {
        guard entries.capacity > 1_024, entries.count * 4 < entries.capacity else { return }
        entries = entries.map { $0 }
        counts = counts.map { $0 }
    }
}
