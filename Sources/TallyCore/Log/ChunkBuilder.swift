// SPDX-License-Identifier: Apache-2.0

/// Sums events into what becomes one chunk.
package struct ChunkBuilder: Sendable {
    private struct Key: Hashable {
        var banner: BannerID
        var minute: Minute
        var kind: UInt8
    }

    private var sums: [Key: Int64] = [:]
    private var identified: [IdentifiedDelta] = []
    private var kinds: [Kind] = []
    /// The highest rank of each place.
    private var sightings: [Sighting.Place: UInt8] = [:]

    package init() {}

    package var isEmpty: Bool { sums.isEmpty && identified.isEmpty }
    package var entryCount: Int { sums.count + identified.count + sightings.count }
    package var isFull: Bool { entryCount >= Limits.chunkEntries }

    /// Adds an event; an invalid one a second time, as invalid. Both are in one chunk, so that at every offset of a log no
    /// more events are invalid than there are.
    /// - Returns: false when it doesn't fit (the chunk is full, its kinds are, or the sum would overflow); then it was not
    ///   added, and belongs to the next chunk.
    package mutating func add(_ event: CountedEvent) -> Bool {
        let invalid = event.invalid.map(event.kind.invalid)
        guard entryCount + event.entryCount <= Limits.chunkEntries, hasRoom(for: event.kind, invalid),
            add(event, as: event.kind)
        else { return false }
        if let sighting = event.sighting { sightings.note(sighting) }
        guard let invalid else { return true }
        let isAdded = add(event, as: invalid)
        precondition(isAdded, "there are never more invalid events than there are")
        return true
    }

    private mutating func add(_ event: CountedEvent, as kind: Kind) -> Bool {
        let kind = index(of: kind)
        if let id = event.id {
            let delta = Delta(banner: event.banner, kind: kind, minute: event.minute, count: event.count)
            identified.append(IdentifiedDelta(id: id, delta: delta))
            return true
        }
        let key = Key(banner: event.banner, minute: event.minute, kind: kind)
        let (sum, overflow) = sums[key, default: 0].addingReportingOverflow(event.count)
        if overflow { return false }
        sums[key] = sum
        return true
    }

    private func hasRoom(for kind: Kind, _ invalid: Kind?) -> Bool {
        if kinds.count + 2 <= Limits.kinds { return true }
        let new = [kind, invalid].compactMap { $0 }.count { !kinds.contains($0) }
        return kinds.count + new <= Limits.kinds
    }

    private mutating func index(of kind: Kind) -> UInt8 {
        if let index = kinds.firstIndex(of: kind) { return UInt8(index) }
        kinds.append(kind)
        return UInt8(kinds.count - 1)
    }

    /// Closes the chunk: the same events give the same chunk, whatever order the table had.
    package func chunk(node: NodeID, sequence: UInt64, time: Timestamp) -> Chunk {
        let sortedKinds = kinds.sorted()
        let newIndex = kinds.map { kind in UInt8(sortedKinds.firstIndex(of: kind)!) }
        var deltas = sums.map { key, count in
            Delta(banner: key.banner, kind: newIndex[Int(key.kind)], minute: key.minute, count: count)
        }
        deltas.sort(by: Chunk.areInOrder)
        let renamed = identified.map { entry in
            var entry = entry
            entry.delta.kind = newIndex[Int(entry.delta.kind)]
            return entry
        }
        return Chunk(
            node: node, sequence: sequence, time: time, kinds: sortedKinds, deltas: deltas, identified: renamed,
            sightings: sightings.sightings.sorted { $0.place < $1.place })
    }
}

extension Chunk {
    /// The order of the deltas in a chunk: by (kind, minute, banner).
    package static func areInOrder(_ left: Delta, _ right: Delta) -> Bool {
        if left.kind != right.kind { return left.kind < right.kind }
        if left.minute != right.minute { return left.minute < right.minute }
        return left.banner < right.banner
    }
}
