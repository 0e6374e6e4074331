// SPDX-License-Identifier: Apache-2.0

/// The unit of durability: the counts of one group commit of one node, summed by key. Every log stores chunks alone.
///
/// A chunk counts once per (node, sequence), however often and in whatever order it arrives.
package struct Chunk: Equatable, Sendable {
    package var node: NodeID
    /// From 1, without gaps, per node.
    package var sequence: UInt64
    /// When the node closed the chunk. The log's time is the highest of these so far: deduplication and the watermark
    /// follow it, never a reader's clock.
    package var time: Timestamp
    /// The kinds that the entries name by their index: sorted, each once, at most `Limits.kinds`.
    package var kinds: [Kind]
    /// Summed, sorted by (kind, minute, banner), each key once.
    package var deltas: [Delta]
    /// In the order of their arrival, which decides which of two alike counts.
    package var identified: [IdentifiedDelta]
    /// Of visitors: sorted by place, each place once.
    package var sightings: [Sighting]
    /// What the server that made the chunk asserts of its own sequences: each number from 1 to `sequence` - 1 that is not among these
    /// stands in the log before this chunk. All are below `sequence`, in at most `Limits.unsettledRanges` ranges. nil asserts nothing:
    /// so do chunks that a client sent, and those of older versions.
    package var unsettled: SequenceRanges?

    package init(
        node: NodeID, sequence: UInt64, time: Timestamp, kinds: [Kind], deltas: [Delta], identified: [IdentifiedDelta],
        sightings: [Sighting] = [], unsettled: SequenceRanges? = nil
    ) {
        self.node = node
        self.sequence = sequence
        self.time = time
        self.kinds = kinds
        self.deltas = deltas
        self.identified = identified
        self.sightings = sightings
        self.unsettled = unsettled
    }

    /// `Minute.last` when it is empty.
    package var earliestMinute: Minute {
        let identified = self.identified.reduce(Minute.last) { min($0, $1.delta.minute) }
        return deltas.reduce(identified) { min($0, $1.minute) }
    }

    /// Deltas, identified events and sightings.
    package var entryCount: Int { deltas.count + identified.count + sightings.count }

    /// How many events it counts, if all of its ids are new. Those that are invalid are among them.
    package var eventCount: Int64 {
        let isInvalid = kinds.map { $0.reason != nil }
        return (deltas + identified.map(\.delta)).reduce(0) {
            isInvalid[Int($1.kind)] ? $0 : $0.addingSaturated($1.count)
        }
    }

    /// It takes no more when it is encoded.
    package var mostBytes: Int {
        128 + kinds.count * (Limits.kindNameBytes + 1) + entryCount * 45 + (unsettled?.ranges.count ?? 0) * 20
    }
}

/// What is added to one counter.
package struct Delta: Hashable, Sendable {
    package var banner: BannerID
    /// An index into the kinds of the chunk.
    package var kind: UInt8
    package var minute: Minute
    /// At least 1.
    package var count: Int64

    package init(banner: BannerID, kind: UInt8, minute: Minute, count: Int64) {
        self.banner = banner
        self.kind = kind
        self.minute = minute
        self.count = count
    }
}

/// A delta that counts only if its id was not seen within the window. One that says that an event is invalid stands
/// directly behind it, with the same id, and counts if the event does.
package struct IdentifiedDelta: Hashable, Sendable {
    package var id: EventID
    package var delta: Delta

    package init(id: EventID, delta: Delta) {
        self.id = id
        self.delta = delta
    }
}
