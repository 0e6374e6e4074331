// SPDX-License-Identifier: Apache-2.0

/// Sums the events of one event loop, by (banner, kind) in one minute: the way of events without an id that happen now.
///
/// It is a table that outlives the turns of its loop within the minute, so that a banner is let in once and costs a probe
/// and an addition from then on. Who owns it hands the sums of each turn to the group commit, and nobody else touches it.
package struct Lane: Sendable {
    private struct Slot {
        var banner: Int64 = 0
        /// In this turn.
        var count: UInt32 = 0
        /// The epoch in which the slot was filled, and below it the kind; of an older epoch, the slot is free.
        var tag: UInt32 = 0
    }

    private static let kindBits: UInt32 = 8
    private static let smallest = 256

    package let number: Int
    /// Sorted; a kind is named by its index.
    package let kinds: [Kind]
    package private(set) var minute = Minute.first
    private let hash: KeyedHash
    private var slots: [Slot]
    /// How many are of this epoch.
    private var filled = 0
    private var epoch: UInt32 = 1
    /// The slots that have a count.
    private var touched: [Int32] = []
    private var sightings: [Sighting] = []
    private var committed: RecentSightings

    /// - Parameters:
    ///   - number: different for each lane of one group commit.
    ///   - kinds: sorted, at most `Limits.kinds`.
    ///   - seed: makes the places unpredictable for whoever chooses the banner ids; it has no other effect.
    package init(number: Int, kinds: [Kind], seed: UInt64 = 0) {
        precondition(kinds.count <= Limits.kinds && kinds == kinds.sorted(), "the kinds of a lane are sorted")
        self.number = number
        self.kinds = kinds
        hash = KeyedHash(seed: seed)
        committed = RecentSightings(seed: seed)
        slots = Array(repeating: Slot(), count: Lane.smallest)
    }

    /// Nothing was added since the last `take`.
    package var isEmpty: Bool { touched.isEmpty }
    /// No more than this, and one more event fits one chunk.
    package var isFull: Bool { touched.count + sightings.count > Limits.chunkEntries - CountedEvent.mostEntries }
    /// Banners, each with its kind, that were let in in this minute.
    package var letIn: Int { filled }

    /// Goes on to another minute, in which nobody was let in yet. What was added before has to be taken first.
    package mutating func begin(_ minute: Minute) {
        if minute == self.minute { return }
        self.minute = minute
        forget()
    }

    /// Nobody is let in any more: something has changed that decides it. What was added before has to be taken first.
    package mutating func forget() {
        precondition(touched.isEmpty, "the sums of a turn are taken before it is forgotten who was let in")
        // Memory that one busy minute needed is given back when the next had no use for it.
        if slots.count > Lane.smallest, filled * 8 < slots.count { return replaceSlots(count: slots.count / 2) }
        filled = 0
        epoch += 1
        if epoch >> (32 - Lane.kindBits) != 0 { replaceSlots(count: slots.count) }
    }

    private mutating func replaceSlots(count: Int) {
        slots = Array(repeating: Slot(), count: count)
        filled = 0
        epoch = 1
    }

    /// Adds to a counter that was let in.
    /// - Returns: false when it wasn't yet in this minute; then nothing was added.
    package mutating func add(_ count: UInt32 = 1, banner: BannerID, kind: UInt8) -> Bool {
        let slot = slot(of: banner.value, kind: kind)
        guard slots[slot].tag == tag(kind) else { return false }
        if slots[slot].count == 0 { touched.append(Int32(truncatingIfNeeded: slot)) }
        // Four billion events would have to fit one turn of a loop before this ends the process.
        slots[slot].count += count
        return true
    }

    /// Notes a visitor, beside an event that was added in this turn. One that the log has already isn't noted again.
    package mutating func note(_ visitor: Sighting.Mark, banner: BannerID) {
        let sighting = Sighting(visitor, banner: banner, day: Day(of: minute))
        if !committed.contains(sighting) { sightings.append(sighting) }
    }

    /// These are in the log.
    package mutating func didCommit(_ sightings: [Sighting]) {
        for sighting in sightings { committed.insert(sighting) }
    }

    /// Lets a counter in until the minute is over.
    package mutating func letIn(banner: BannerID, kind: UInt8) {
        precondition(kind < kinds.count, "a kind of this lane")
        if (filled + 1) * 4 > slots.count * 3 { grow() }
        let slot = slot(of: banner.value, kind: kind)
        if slots[slot].tag == tag(kind) { return }
        slots[slot] = Slot(banner: banner.value, tag: tag(kind))
        filled += 1
    }

    /// What was added since the last time, to be handed to the group commit.
    package mutating func take() -> LaneSums {
        let minute = minute
        let deltas = touched.map { place in
            let slot = slots[Int(place)]
            slots[Int(place)].count = 0
            guard let banner = BannerID(slot.banner) else { preconditionFailure("a slot has the id of a banner") }
            return Delta(
                banner: banner, kind: UInt8(truncatingIfNeeded: slot.tag), minute: minute, count: Int64(slot.count))
        }
        touched.removeAll(keepingCapacity: true)
        defer { sightings = [] }
        return LaneSums(lane: number, kinds: kinds, minute: minute, deltas: deltas, sightings: sightings)
    }

    private func tag(_ kind: UInt8) -> UInt32 { epoch << Lane.kindBits | UInt32(kind) }

    /// The slot that holds the counter, or the free one where it belongs (linear probing).
    private func slot(of banner: Int64, kind: UInt8) -> Int {
        Probing.place(of: hash(UInt64(bitPattern: banner), UInt64(kind)), in: slots.count) { place in
            slots[place].tag >> Lane.kindBits == epoch
                && (slots[place].banner != banner || slots[place].tag != tag(kind))
        }
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: old.count * 2)
        touched.removeAll(keepingCapacity: true)
        for moved in old where moved.tag >> Lane.kindBits == epoch {
            let place = slot(of: moved.banner, kind: UInt8(truncatingIfNeeded: moved.tag))
            slots[place] = moved
            if moved.count > 0 { touched.append(Int32(truncatingIfNeeded: place)) }
        }
    }
}
