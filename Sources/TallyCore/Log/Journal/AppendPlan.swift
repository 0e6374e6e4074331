// SPDX-License-Identifier: Apache-2.0

/// Where the chunks of one append go, decided before anything is written.
struct AppendPlan {
    /// What goes into one segment, in one write.
    struct Part {
        /// The segment as it is when the part is written.
        var segment: Segment
        /// Where the bytes go.
        let position: Int
        /// nil when the segment is there already.
        let header: SegmentHeader?
        var bytes: [UInt8] = []
        /// Up to here the file was written by this process, records or zeros in their place.
        var writtenTo: Int

        /// Puts zeros behind the records, where there are zeros already.
        ///
        /// A file system that has only reserved a block notes when the block is first synced that it is in use. Where zeros
        /// were written before, a sync writes the records alone.
        mutating func zeroAhead() {
            let end = segment.end
            guard end > writtenTo else { return }
            writtenTo = min(segment.size, (end / AppendPlan.bytesZeroedAtOnce + 1) * AppendPlan.bytesZeroedAtOnce)
            bytes.append(contentsOf: repeatElement(0, count: writtenTo - end))
        }
    }

    private static let bytesZeroedAtOnce = 256 << 10

    let identity: NodeID
    let segmentBytes: Int
    /// The last offset that is durable now.
    let synced: LogOffset
    private let format: RecordFormat
    private(set) var parts: [Part] = []
    private(set) var offsets: [LogOffset] = []
    private(set) var lastSequence: UInt64

    /// - Parameters:
    ///   - newest: the segment that the journal ends in. It holds records, or has room for the first chunk.
    ///   - writtenTo: of that segment, as `Part` has it.
    init(
        _ chunks: [Chunk], newest: Segment, writtenTo: Int, identity: NodeID, lastSequence: UInt64, segmentBytes: Int,
        format: RecordFormat
    ) throws(LogError) {
        self.identity = identity
        self.segmentBytes = segmentBytes
        self.synced = newest.last
        self.format = format
        self.lastSequence = lastSequence
        var part = Part(segment: newest, position: newest.end, header: nil, writtenTo: writtenTo)
        for chunk in chunks {
            let payload = chunk.encoded()
            guard payload.count <= Limits.chunkBytes else {
                throw .refused("a chunk of \(payload.count) bytes; the most is \(Limits.chunkBytes)")
            }
            let byteCount = RecordFormat.byteCount(payload: payload.count)
            if part.segment.end + byteCount > part.segment.size {
                close(part)
                part = newPart(after: part.segment.last, roomFor: byteCount)
            }
            part.segment.add(byteCount: byteCount)
            format.append(payload, offset: part.segment.last, synced: synced, to: &part.bytes)
            offsets.append(part.segment.last)
            if chunk.node == identity { self.lastSequence = max(self.lastSequence, chunk.sequence) }
        }
        close(part)
    }

    private mutating func close(_ part: Part) {
        if part.bytes.isEmpty { return }
        var part = part
        part.zeroAhead()
        parts.append(part)
    }

    private func newPart(after last: LogOffset, roomFor byteCount: Int) -> Part {
        let header = SegmentHeader(
            identity: identity, size: max(segmentBytes, SegmentHeader.byteCount + byteCount), first: last.next, lost: 0,
            synced: synced, lastSequence: lastSequence)
        return Part(
            segment: Segment(header), position: SegmentHeader.byteCount, header: header,
            writtenTo: SegmentHeader.byteCount)
    }
}
