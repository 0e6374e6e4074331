// SPDX-License-Identifier: Apache-2.0

/// Which sequence numbers of a node were counted, in whatever order they came: usually the one range 1…n.
package struct SequenceRanges: Equatable, Sendable {
    /// Ascending, apart from each other by at least one missing number.
    package private(set) var ranges: [ClosedRange<UInt64>]

    package init() { ranges = [] }

    /// - Returns: nil when the ranges touch or are out of order.
    package init?(_ ranges: [ClosedRange<UInt64>]) {
        for (left, right) in zip(ranges, ranges.dropFirst())
        where left.upperBound >= right.lowerBound || right.lowerBound - left.upperBound < 2 {
            return nil
        }
        self.ranges = ranges
    }

    /// The highest number so far; 0 before the first.
    package var highest: UInt64 { ranges.last?.upperBound ?? 0 }

    /// How many numbers below the highest are missing.
    package var missing: UInt64 {
        let present = ranges.reduce(UInt64(0)) { $0 + ($1.upperBound - $1.lowerBound + 1) }
        return highest - present
    }

    package func contains(_ sequence: UInt64) -> Bool {
        // Nearly always the question is about the end.
        if sequence > highest { return false }
        return ranges.last { $0.lowerBound <= sequence }.map { $0.contains(sequence) } ?? false
    }

    /// Adds all numbers of the other.
    package mutating func formUnion(_ other: SequenceRanges) {
        var joined: [ClosedRange<UInt64>] = []
        for next in (ranges + other.ranges).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard let last = joined.last, next.lowerBound - 1 <= last.upperBound else {
                joined.append(next)
                continue
            }
            joined[joined.count - 1] = last.lowerBound...max(last.upperBound, next.upperBound)
        }
        ranges = joined
    }

    /// - Returns: false when it was there already.
    package mutating func insert(_ sequence: UInt64) -> Bool {
        if contains(sequence) { return false }
        let next = ranges.firstIndex { $0.lowerBound > sequence } ?? ranges.count
        let touchesPrevious = next > 0 && ranges[next - 1].upperBound == sequence - 1
        let touchesNext = next < ranges.count && ranges[next].lowerBound == sequence + 1
        switch (touchesPrevious, touchesNext) {
        case (true, true):
            ranges[next - 1] = ranges[next - 1].lowerBound...ranges[next].upperBound
            ranges.remove(at: next)
        case (true, false): ranges[next - 1] = ranges[next - 1].lowerBound...sequence
        case (false, true): ranges[next] = sequence...ranges[next].upperBound
        case (false, false): ranges.insert(sequence...sequence, at: next)
        }
        return true
    }
}
