// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Where the events of a batch that are alike (banner, kind, minute) are summed: a hash table by open addressing.
struct BatchSums {
    fileprivate struct Key: Equatable {
        var banner: Int64
        /// Of no time that an event has: of those that happen now.
        var minute: UInt32
        var kind: UInt32

        static let now = UInt32.max
    }

    fileprivate struct Slot {
        var key: Key
        /// -1 when it is free.
        var entry: Int
    }

    /// A place in the table, for a key that was looked up: until the next look-up.
    struct Place {
        fileprivate let slot: Int
        fileprivate let key: Key
    }

    private static let free = Slot(key: Key(banner: 0, minute: 0, kind: 0), entry: -1)

    /// A power of two, at least twice the entries.
    private var slots = [Slot](repeating: free, count: 256)
    private var count = 0
    private let hash = KeyedHash(seed: .random(in: 0 ... .max))

    mutating func removeAll() {
        if count == 0 { return }
        for slot in slots.indices { slots[slot].entry = -1 }
        count = 0
    }

    /// - Parameter minute: nil for an event that happens now.
    func slot(banner: Int64, kind: Int, minute: Minute?) -> Place {
        let key = Key(banner: banner, minute: minute?.sinceEpoch ?? Key.now, kind: UInt32(kind))
        return Place(slot: slot(of: key), key: key)
    }

    /// Which entry sums up the events of this key; nil when none does yet.
    subscript(place: Place) -> Int? {
        get { slots[place.slot].entry < 0 ? nil : slots[place.slot].entry }
        set {
            guard let entry = newValue else { return }
            if slots[place.slot].entry < 0 { count += 1 }
            slots[place.slot] = Slot(key: place.key, entry: entry)
            if count * 2 > slots.count { grow() }
        }
    }

    /// The slot that holds the key, or the free one where it belongs (linear probing).
    private func slot(of key: Key) -> Int {
        let first = hash(UInt64(bitPattern: key.banner), UInt64(key.minute) << 32 | UInt64(key.kind))
        return Probing.place(of: first, in: slots.count) { place in
            slots[place].entry >= 0 && slots[place].key != key
        }
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: BatchSums.free, count: old.count * 2)
        for slot in old where slot.entry >= 0 { slots[self.slot(of: slot.key)] = slot }
    }
}
