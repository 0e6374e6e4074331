// SPDX-License-Identifier: Apache-2.0

/// The last section of a chunk of version 3:
///
///     unsettled     variable count of ranges, at most 64; for each, the highest first:
///                     gap       variable; how many numbers lie between the range and the one above it, which for the first is
///                               the chunk's own sequence; at least 1 for all but the first
///                     length    variable; of the range, less 1
extension Chunk {
    static func encode(_ unsettled: SequenceRanges, below sequence: UInt64, to writer: inout ByteWriter) {
        writer.writeVariable(UInt64(unsettled.ranges.count))
        var above = sequence
        for range in unsettled.ranges.reversed() {
            writer.writeVariable(above - range.upperBound - 1)
            writer.writeVariable(range.upperBound - range.lowerBound)
            above = range.lowerBound
        }
    }

    static func decodeUnsettled(below sequence: UInt64, from reader: inout ByteReader) throws -> SequenceRanges {
        let count = try reader.readVariable()
        // Nearly every chunk asserts all before it.
        if count == 0 { return SequenceRanges() }
        guard count <= Limits.unsettledRanges else {
            throw ChunkDecodingError.malformed("\(count) ranges of unsettled sequences")
        }
        var ranges: [ClosedRange<UInt64>] = []
        var above = sequence
        for _ in 0..<count {
            let gap = try reader.readVariable()
            let length = try reader.readVariable()
            if gap == 0, !ranges.isEmpty {
                throw ChunkDecodingError.malformed("ranges of unsettled sequences that touch")
            }
            // Sequences begin at 1, so as many numbers lie below `above` as it says, less one.
            guard gap < above - 1, length < above - 1 - gap else {
                throw ChunkDecodingError.malformed("an unsettled sequence out of range")
            }
            let last = above - 1 - gap
            ranges.append(last - length...last)
            above = last - length
        }
        guard let unsettled = SequenceRanges(ranges.reversed()) else {
            throw ChunkDecodingError.malformed("ranges of unsettled sequences that touch")
        }
        return unsettled
    }
}
