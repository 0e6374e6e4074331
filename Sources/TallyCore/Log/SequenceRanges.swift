// SPDX-License-Identifier: Apache-2.0

/// A set of sequence numbers of a node, such as those that were counted, in whatever order they came: usually the one range 1…n.
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

    /// - Parameter range: of numbers from 1 on.
    package init(_ range: ClosedRange<UInt64>) { ranges = [range] }

    package var isEmpty: Bool { ranges.isEmpty }

    /// How many numbers there are.
    package var count: UInt64 { ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound + 1) } }

    /// The highest number so far; 0 before the first.
    package var highest: UInt64 { ranges.last?.upperBound ?? 0 }

    /// How many numbers below the highest are missing.
    package var missing: UInt64 { highest - count }

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

    /// Removes all numbers of the other.
    package mutating func subtract(_ other: SequenceRanges) {
        if isEmpty || other.isEmpty { return }
        var rest: [ClosedRange<UInt64>] = []
        var next = 0
        for range in ranges {
            var first = range.lowerBound
            while next < other.ranges.count, other.ranges[next].upperBound < first { next += 1 }
            var index = next
            while first <= range.upperBound, index < other.ranges.count,
                other.ranges[index].lowerBound <= range.upperBound
            {
                let removed = other.ranges[index]
                if first < removed.lowerBound { rest.append(first...removed.lowerBound - 1) }
                first = removed.upperBound + 1
                index += 1
            }
            if first <= range.upperBound { rest.append(first...range.upperBound) }
        }
        ranges = rest
    }

    /// The same numbers and, where these are more ranges than `maximumCount`, those between the ranges that are closest to each other.
    /// - Parameter maximumCount: of ranges; at least 1.
    package func coarsened(to maximumCount: Int) -> SequenceRanges {
        precondition(maximumCount >= 1, "a set that is not empty has a range")
        var coarser = self
        while coarser.ranges.count > maximumCount {
            let closest = coarser.ranges.indices.dropLast().min { coarser.gap(behind: $0) < coarser.gap(behind: $1) }
            guard let closest else { break }
            let joined = coarser.ranges[closest].lowerBound...coarser.ranges[closest + 1].upperBound
            coarser.ranges.replaceSubrange(closest...closest + 1, with: [joined])
        }
        return coarser
    }

    private func gap(behind index: Int) -> UInt64 { ranges[index + 1].lowerBound - ranges[index].upperBound }

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

extension SequenceRanges: CustomStringConvertible {
    /// Such as `3-5,9`.
    package var description: String {
        ranges.map { $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }
}
