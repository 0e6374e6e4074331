// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("The sequences of a node that were counted")
struct SequenceRangesTests {
    @Test("behave like a set of numbers", arguments: 1...50 as ClosedRange<UInt64>)
    func likeASet(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var ranges = SequenceRanges()
        var set: Set<UInt64> = []
        let most = UInt64.random(in: 1...60, using: &generator)
        for _ in 0..<150 {
            let number = UInt64.random(in: 1...most, using: &generator)
            let isNew = ranges.insert(number)
            #expect(isNew == set.insert(number).inserted, "seed \(seed)")
            for number in 0...most + 1 { #expect(ranges.contains(number) == set.contains(number), "seed \(seed)") }
            let highest = set.max() ?? 0
            #expect(ranges.highest == highest)
            #expect(ranges.missing == highest - UInt64(set.count), "seed \(seed)")
            #expect(SequenceRanges(ranges.ranges) == ranges, "seed \(seed): \(ranges.ranges)")
        }
    }

    @Test("the union has the numbers of both", arguments: 1...50 as ClosedRange<UInt64>)
    func union(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        func some() -> Set<UInt64> { Set((1...30).filter { _ in generator.chance(40) }) }
        let (left, right) = (some(), some())
        func ranges(_ numbers: Set<UInt64>) -> SequenceRanges {
            var ranges = SequenceRanges()
            for number in numbers.sorted() { _ = ranges.insert(number) }
            return ranges
        }
        var joined = ranges(left)
        joined.formUnion(ranges(right))
        #expect(joined == ranges(left.union(right)), "seed \(seed)")
    }

    private func ranges(_ numbers: Set<UInt64>) -> SequenceRanges {
        var ranges = SequenceRanges()
        for number in numbers.sorted() { _ = ranges.insert(number) }
        return ranges
    }

    @Test("the difference has the numbers of one alone", arguments: 1...50 as ClosedRange<UInt64>)
    func difference(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let percent = Int.random(in: 0...100, using: &generator)
            func some() -> Set<UInt64> { Set((1...30).filter { _ in generator.chance(percent) }) }
            let (left, right) = (some(), some())
            var rest = ranges(left)
            rest.subtract(ranges(right))
            #expect(rest == ranges(left.subtracting(right)), "seed \(seed)")
            #expect(rest.count == UInt64(left.subtracting(right).count))
        }
    }

    @Test("made coarser they are few ranges with no number less, and more only where they are closest")
    func coarser() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            let fine = ranges(Set((1...60).filter { _ in generator.chance(30) }))
            let count = Int.random(in: 1...12, using: &generator)
            let coarse = fine.coarsened(to: count)
            #expect(coarse.ranges.count == min(count, fine.ranges.count))
            #expect(SequenceRanges(coarse.ranges) == coarse)
            var lost = fine
            lost.subtract(coarse)
            #expect(lost.isEmpty)
            var added = coarse
            added.subtract(fine)
            // Each gap that was closed is at most as wide as each that stays.
            let stays = zip(coarse.ranges, coarse.ranges.dropFirst()).map { $1.lowerBound - $0.upperBound - 1 }
            let widest = added.ranges.map { $0.upperBound - $0.lowerBound + 1 }.max() ?? 0
            #expect(stays.allSatisfy { $0 >= widest })
        }
        #expect(SequenceRanges([1...2, 6...6, 8...8])!.coarsened(to: 2).ranges == [1...2, 6...8])
    }

    @Test("as text they are what an operator writes")
    func text() {
        #expect("\(SequenceRanges([3...5, 9...9])!)" == "3-5,9")
    }

    @Test("in order they are one range")
    func inOrder() {
        var ranges = SequenceRanges()
        for number in 1...1000 as ClosedRange<UInt64> {
            let isNew = [ranges.insert(number), ranges.insert(number)]
            #expect(isNew == [true, false])
        }
        #expect(ranges.ranges == [1...1000])
        #expect(ranges.missing == 0)
    }

    @Test("the last number there is can be inserted")
    func lastNumber() {
        var ranges = SequenceRanges()
        let isNew = [ranges.insert(Chunk.lastSequence), ranges.insert(Chunk.lastSequence - 1)]
        #expect(isNew == [true, true])
        #expect(ranges.ranges == [Chunk.lastSequence - 1...Chunk.lastSequence])
        #expect(ranges.missing == Chunk.lastSequence - 2)
    }

    @Test("ranges that touch, overlap or are out of order are refused")
    func wrongRanges() {
        let wrong: [[ClosedRange<UInt64>]] = [[1...2, 3...4], [1...5, 5...6], [1...5, 2...3], [5...6, 1...2]]
        for ranges in wrong { #expect(SequenceRanges(ranges) == nil, "\(ranges)") }
        #expect(SequenceRanges([1...2, 4...4, 9...12])?.missing == 5)
        #expect(SequenceRanges([]) == SequenceRanges())
    }
}
