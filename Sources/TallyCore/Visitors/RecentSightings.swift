// SPDX-License-Identifier: Apache-2.0

/// Remembers some of the sightings that are in the log, so that a visitor who comes a hundred times is told of once. Its memory
/// is bounded: one that it forgets is told of again, which costs some bytes and changes nothing.
package struct RecentSightings: Sendable {
    private struct Slot: Sendable {
        var banner: Int64 = 0
        var day: UInt32 = 0
        var register: UInt16 = 0
        /// 0 while it is free.
        var rank: UInt8 = 0
    }

    /// 2 MiB, once there is a visitor.
    package static let size = 1 << 17

    private let hash: KeyedHash
    private var slots: [Slot] = []

    /// - Parameter seed: of the hash; random, except where a run must be repeatable.
    package init(seed: UInt64) { hash = KeyedHash(seed: seed) }

    /// Whether this, or a higher rank in its place, was inserted and not forgotten.
    package func contains(_ sighting: Sighting) -> Bool {
        guard !slots.isEmpty else { return false }
        let slot = slots[place(of: sighting)]
        return slot.rank >= sighting.rank && isAt(slot, sighting.place)
    }

    package mutating func insert(_ sighting: Sighting) {
        if slots.isEmpty { slots = Array(repeating: Slot(), count: RecentSightings.size) }
        let index = place(of: sighting)
        if slots[index].rank >= sighting.rank, isAt(slots[index], sighting.place) { return }
        let place = sighting.place
        slots[index] = Slot(
            banner: place.banner.value, day: place.day.sinceEpoch, register: place.register, rank: sighting.rank)
    }

    private func isAt(_ slot: Slot, _ place: Sighting.Place) -> Bool {
        slot.banner == place.banner.value && slot.day == place.day.sinceEpoch && slot.register == place.register
    }

    private func place(of sighting: Sighting) -> Int {
        let place = sighting.place
        let rest = UInt64(place.day.sinceEpoch) << 16 | UInt64(place.register)
        return Int(hash(UInt64(bitPattern: place.banner.value), rest) & UInt64(RecentSightings.size - 1))
    }
}
