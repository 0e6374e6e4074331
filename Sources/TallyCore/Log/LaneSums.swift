// SPDX-License-Identifier: Apache-2.0

/// The sums of one lane, of one turn or of several: they become one chunk.
package struct LaneSums: Sendable {
    package let lane: Int
    private let kinds: [Kind]
    /// In no order; several turns may have added to the same counter.
    private(set) var deltas: [Delta]
    private(set) var earliest: Minute
    /// In no order, and a place perhaps more than once.
    package private(set) var sightings: [Sighting]

    init(lane: Int, kinds: [Kind], minute: Minute, deltas: [Delta], sightings: [Sighting] = []) {
        self.lane = lane
        self.kinds = kinds
        self.earliest = minute
        self.deltas = deltas
        self.sightings = sightings
    }

    /// The same lane and minute, and no sums.
    var emptied: LaneSums { LaneSums(lane: lane, kinds: kinds, minute: earliest, deltas: []) }

    mutating func append(_ delta: Delta) { deltas.append(delta) }
    mutating func append(_ sighting: Sighting) { sightings.append(sighting) }

    package var isEmpty: Bool { deltas.isEmpty }
    package var entryCount: Int { deltas.count + sightings.count }

    /// Adds a later turn of the same lane.
    /// - Returns: false when both together don't fit one chunk; then nothing was added.
    mutating func add(_ later: LaneSums) -> Bool {
        guard later.lane == lane, entryCount + later.entryCount <= Limits.chunkEntries else { return false }
        deltas += later.deltas
        sightings += later.sightings
        earliest = min(earliest, later.earliest)
        return true
    }

    /// Closes the chunk. The deltas are sorted where they are.
    consuming func chunk(node: NodeID, sequence: UInt64, time: Timestamp) -> Chunk {
        deltas.sort(by: Chunk.areInOrder)
        mergeNeighbours()
        let used = useOnlyNeededKinds()
        return Chunk(
            node: node, sequence: sequence, time: time, kinds: used, deltas: deltas, identified: [],
            sightings: sightings.merged())
    }

    private mutating func mergeNeighbours() {
        var last = 0
        for index in deltas.indices.dropFirst() {
            if Chunk.areInOrder(deltas[last], deltas[index]) {
                last += 1
                deltas[last] = deltas[index]
            } else {
                deltas[last].count += deltas[index].count
            }
        }
        deltas.removeLast(deltas.count - last - 1)
    }

    /// A chunk names no kind that it doesn't count.
    private mutating func useOnlyNeededKinds() -> [Kind] {
        var used: [Kind] = []
        var renamed: [UInt8?] = Array(repeating: nil, count: kinds.count)
        for index in deltas.indices {
            let kind = Int(deltas[index].kind)
            if renamed[kind] == nil {
                renamed[kind] = UInt8(used.count)
                used.append(kinds[kind])
            }
            deltas[index].kind = renamed[kind]!  // Just named.
        }
        return used
    }
}
