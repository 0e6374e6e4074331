// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Counts a log in the plainest way, straight from the words of the rule: no memory limit, no store, no shortcuts.
struct ReferenceCount {
    struct Key: Hashable {
        var banner: BannerID
        var kind: Kind
        var minute: Minute
    }

    private(set) var counts: [Key: Int64] = [:]
    private(set) var sightings: [Sighting.Place: UInt8] = [:]
    private var chunks: Set<[UInt64]> = []
    private var groups: [(time: Timestamp, ids: [EventID])] = []
    private var time = Timestamp.epoch
    private let window: Duration
    private let limit: Int

    init(window: Duration, limit: Int) {
        self.window = window
        self.limit = limit
    }

    mutating func count(_ chunk: Chunk) {
        time = max(time, chunk.time)
        for sighting in chunk.sightings {
            sightings[sighting.place] = max(sightings[sighting.place] ?? 0, sighting.rank)
        }
        var known = Set(groupsInWindow.flatMap(\.ids))
        let ids = chunk.identified.filter { chunk.kinds[Int($0.delta.kind)].reason == nil }.map(\.id)
        if !ids.isEmpty { groups.append((time, ids)) }
        // What says that an event is invalid stands behind it, and counts if the event does.
        var isNew: [Bool] = []
        for event in chunk.identified {
            let isInvalid = chunk.kinds[Int(event.delta.kind)].reason != nil
            isNew.append(isInvalid ? isNew[isNew.count - 1] : known.insert(event.id).inserted)
        }
        let node = chunk.node.bits
        guard chunks.insert([UInt64(truncatingIfNeeded: node), UInt64(node >> 64), chunk.sequence]).inserted else {
            return
        }
        for delta in chunk.deltas { add(delta, of: chunk) }
        for (identified, isNew) in zip(chunk.identified, isNew) where isNew { add(identified.delta, of: chunk) }
    }

    /// The last chunks that hold at most `limit` ids together (the very last in any case) and lie in the window.
    private var groupsInWindow: [(time: Timestamp, ids: [EventID])] {
        var sum = 0
        let lastOnes = groups.reversed().enumerated().prefix { index, group in
            sum += group.ids.count
            return index == 0 || sum <= limit
        }
        return lastOnes.map(\.element).filter { $0.time.advanced(by: window) >= time }
    }

    private mutating func add(_ delta: Delta, of chunk: Chunk) {
        counts[Key(banner: delta.banner, kind: chunk.kinds[Int(delta.kind)], minute: delta.minute), default: 0] +=
            delta.count
    }

    var minuteCounts: [MinuteCount] {
        counts.map { MinuteCount(banner: $0.banner, kind: $0.kind, minute: $0.minute, count: $1) }.sorted()
    }
}
