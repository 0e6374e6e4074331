// SPDX-License-Identifier: Apache-2.0

/// What a journal remembers of one segment.
struct Segment: Equatable, Sendable {
    /// A record whose place is known, so that reading from the middle need not begin at the front.
    struct Mark: Equatable, Sendable {
        let offset: LogOffset
        let position: Int
    }

    private static let bytesBetweenMarks = 1 << 20

    let first: LogOffset
    let size: Int
    /// The last offset before its records: `first` less one, or the last of the lost ones.
    let lastBeforeRecords: LogOffset
    /// The offset of its last record; `lastBeforeRecords` while it has none.
    private(set) var last: LogOffset
    /// Where the next record goes.
    private(set) var end = SegmentHeader.byteCount
    private(set) var marks: [Mark] = []

    init(_ header: SegmentHeader) {
        first = header.first
        size = header.size
        lastBeforeRecords = header.lastBeforeRecords
        last = lastBeforeRecords
    }

    var name: String { SegmentName.name(first: first) }
    var holdsRecords: Bool { last > lastBeforeRecords }

    mutating func add(byteCount: Int) {
        last = last.next
        if end - (marks.last?.position ?? -Segment.bytesBetweenMarks) >= Segment.bytesBetweenMarks {
            marks.append(Mark(offset: last, position: end))
        }
        end += byteCount
        precondition(end <= size, "a record never reaches beyond its segment")
    }

    /// The last known place not behind this offset, which must be in the segment.
    func mark(before offset: LogOffset) -> Mark {
        var low = 0
        var high = marks.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if marks[middle].offset <= offset { low = middle } else { high = middle }
        }
        return marks[low]
    }
}
