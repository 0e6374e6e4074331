// SPDX-License-Identifier: Apache-2.0

/// Which segments a repair makes, decided from what was found before anything is written.
///
/// Each file is responsible for the offsets from its own first one to the next file's. A sound file stays as it is;
/// any other is replaced by segments that hold the whole records of its stretch, and cover what is missing as lost.
struct RepairPlan {
    struct Source: Equatable {
        let file: String
        let record: JournalRecord
    }

    /// A segment to be made.
    struct Piece: Equatable {
        var header: SegmentHeader
        /// With consecutive offsets.
        var records: [Source]
        /// Whether it takes the place of a damaged file.
        var replaces: Bool

        mutating func add(_ source: Source) {
            records.append(source)
            header.size += source.record.end - source.record.position
        }
    }

    private(set) var pieces: [Piece] = []
    private(set) var replaced: [String] = []
    private(set) var lost: [ClosedRange<LogOffset>] = []
    private(set) var skipped: ClosedRange<LogOffset>?

    private let identity: NodeID
    private var lastSequence: UInt64
    /// Every whole record once, by offset.
    private let sources: [(source: Source, head: ChunkHead)]
    /// The first of the sources that is not yet behind the plan.
    private var nextSource = 0

    /// - Parameter segments: in the order of their names.
    init(_ segments: [SegmentSurvey], identity: NodeID, checkpoint: LogOffset, checkpointSequence: UInt64) {
        self.identity = identity
        // More than the truth does no harm, a number given out twice would: its second chunk would not count.
        lastSequence = checkpointSequence
        sources = RepairPlan.sources(of: segments)
        let highest = segments.map(\.highestOffset).max() ?? .none
        for (index, segment) in segments.enumerated() {
            if index + 1 < segments.count {
                plan(segment, before: segments[index + 1].first)
            } else {
                planLast(segment, highest: max(highest, checkpoint))
            }
        }
    }

    private static func sources(of segments: [SegmentSurvey]) -> [(source: Source, head: ChunkHead)] {
        let all = segments.flatMap { segment in
            segment.findings.map { (source: Source(file: segment.name, record: $0.record), head: $0.head) }
        }
        // A repair that was interrupted leaves records in two files: the same bytes, so either will do.
        var last = LogOffset.none
        return all.sorted { $0.source.record.offset < $1.source.record.offset }.filter { found in
            defer { last = found.source.record.offset }
            return found.source.record.offset > last
        }
    }

    private mutating func planLast(_ segment: SegmentSurvey, highest: LogOffset) {
        let known = max(highest.next, segment.first)
        let mayBeLost = segment.isSound ? 0 : segment.mostRecordsLostAtEnd
        let end = LogOffset(known.value + Int64(mayBeLost))
        plan(segment, before: end)
        guard end > known else { return }
        skipped = known...LogOffset(end.value - 1)
        // The last stretch was entered as lost as a whole.
        if let last = lost.popLast(), last.lowerBound < known {
            lost.append(last.lowerBound...LogOffset(known.value - 1))
        }
    }

    private mutating func plan(_ segment: SegmentSurvey, before end: LogOffset) {
        lastSequence = max(lastSequence, segment.header?.lastSequence ?? 0)
        let offsets = (segment.first.value..<max(end.value, segment.first.value))
        let isKept = segment.isSound && segment.findings.allSatisfy { offsets.contains($0.record.offset.value) }
        if isKept {
            let last = segment.findings.last?.record.offset ?? segment.header?.lastBeforeRecords ?? .none
            for finding in segment.findings { note(finding.head) }
            makePieces(from: last.next, before: end)
        } else {
            replaced.append(segment.name)
            let firstPiece = pieces.count
            makePieces(from: segment.first, before: end)
            if pieces.count == firstPiece { pieces.append(piece(first: segment.first, lost: 0)) }
            pieces[firstPiece].replaces = true
        }
    }

    /// Covers this stretch with segments: each begins with what is lost, if anything, and holds what follows.
    private mutating func makePieces(from first: LogOffset, before end: LogOffset) {
        while nextSource < sources.count, sources[nextSource].source.record.offset < first { nextSource += 1 }
        var next = first
        while nextSource < sources.count, sources[nextSource].source.record.offset < end {
            let begin = sources[nextSource].source.record.offset
            var made = piece(first: next, lost: begin.value - next.value)
            next = begin
            while nextSource < sources.count, sources[nextSource].source.record.offset == next, next < end {
                made.add(sources[nextSource].source)
                note(sources[nextSource].head)
                next = next.next
                nextSource += 1
            }
            pieces.append(made)
        }
        if next < end { pieces.append(piece(first: next, lost: end.value - next.value)) }
    }

    /// A segment without records, just large enough: what is appended later goes into one of the usual size.
    private mutating func piece(first: LogOffset, lost count: Int64) -> Piece {
        if count > 0 {
            lost.append(first...LogOffset(first.value + count - 1))
            // Each lost offset may have held a chunk of the own node.
            lastSequence = min(lastSequence + UInt64(count), Chunk.lastSequence)
        }
        let header = SegmentHeader(
            identity: identity, size: SegmentHeader.byteCount, first: first, lost: count,
            synced: LogOffset(first.value - 1 + count), lastSequence: lastSequence)
        return Piece(header: header, records: [], replaces: false)
    }

    private mutating func note(_ head: ChunkHead) {
        if head.node == identity { lastSequence = max(lastSequence, head.sequence) }
    }
}
