// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallySimulator
import Testing

@testable import TallyCore

@Suite("A sketch of visitors")
struct VisitorSketchTests {
    private func sketch(_ visitors: some Sequence<UInt64>) -> VisitorSketch {
        var sketch = VisitorSketch()
        for visitor in visitors { sketch.note(Sighting.Mark(bits: visitor.mixed())) }
        return sketch
    }

    @Test("nobody is 0, somebody is not, and who comes again is the same")
    func few() {
        #expect(VisitorSketch().estimate == 0)
        for count in UInt64(1)...20 {
            #expect(sketch(1...count).estimate == Int64(count))
            #expect(sketch(Array(1...count) + Array(1...count)) == sketch(1...count))
        }
    }

    @Test(
        "estimates lie as far from the truth as the standard error says",
        arguments: [100, 1_000, 2_300, 2_560, 3_000, 10_000, 300_000])
    func error(visitors: UInt64) {
        let seed = UInt64.random(in: 0 ... .max)
        print("VisitorSketchTests: seed \(seed), \(visitors) visitors")
        var random = SeededGenerator(seed: seed)
        let rounds = 40
        let errors = (0..<rounds).map { _ in
            let first = random.next()
            let estimate = sketch((0..<visitors).lazy.map { first &+ $0 }).estimate
            return Double(estimate) / Double(visitors) - 1
        }
        let variance = errors.reduce(0) { $0 + $1 * $1 } / Double(rounds)
        // About 2,560 it is a fifth more than the standard error; of 40 rounds the root is a tenth off at times.
        #expect(variance.squareRoot() < 2 * VisitorSketch.standardError, "seed \(seed)")
    }

    @Test("it is the same in any order, in parts, and repeated")
    func merging() throws {
        let banner = try #require(BannerID(1))
        func sightings(_ visitors: ClosedRange<UInt64>) -> [Sighting] {
            visitors.map { Sighting(Sighting.Mark(bits: $0.mixed()), banner: banner, day: .first) }
        }
        let all = sightings(1...5_000)
        let merged = all.merged()
        #expect(merged.count <= VisitorSketch.registers)
        #expect(zip(merged, merged.dropFirst()).allSatisfy { $0.place < $1.place })
        let parts = sightings(2_000...5_000).merged() + sightings(1...3_000).reversed()
        #expect(parts.merged() == merged)
        #expect((merged + merged).merged() == merged)
        for same in [all, merged, parts, merged + merged] {
            #expect(VisitorSketch(same) == sketch(1...5_000))
            #expect(VisitorCount.all(same).map(\.visitors) == [sketch(1...5_000).estimate])
        }
    }

    @Test("the highest rank is that of bits that are all zero")
    func marks() {
        #expect(Sighting.Mark(bits: 0) == Sighting.Mark(register: 0, rank: VisitorSketch.highestRank))
        #expect(Sighting.Mark(bits: .max) == Sighting.Mark(register: 1_023, rank: 1))
        #expect(Sighting.Mark(bits: 1 << 54) == Sighting.Mark(register: 1, rank: VisitorSketch.highestRank))
        #expect(Sighting.Mark(bits: 1 << 52) == Sighting.Mark(register: 0, rank: 2))
        #expect(!Sighting.isValid(register: 1_024, rank: 1))
        #expect(!Sighting.isValid(register: 0, rank: 0))
        #expect(!Sighting.isValid(register: 0, rank: VisitorSketch.highestRank + 1))
    }

    @Test("a sketch that nobody's visitors can have made is the largest number, and no end of the process")
    func impossible() {
        let ranks = (0..<UInt16(VisitorSketch.registers)).map {
            Sighting.Mark(register: $0, rank: VisitorSketch.highestRank)
        }
        var sketch = VisitorSketch()
        for mark in ranks { sketch.note(mark) }
        #expect(sketch.estimate == .max)
    }

    @Test("its logarithm is that of the C library")
    func logarithm() {
        #expect(VisitorSketch.logarithm(1) == 0)
        for free in 1...VisitorSketch.registers {
            let number = Double(VisitorSketch.registers) / Double(free)
            let found = VisitorSketch.logarithm(number)
            let expected = log(number)
            #expect(abs(found - expected) <= 8 * expected.ulp, "\(number)")
            #expect((1_024 * found).rounded() == (1_024 * expected).rounded(), "\(number)")
        }
    }

    @Test("days begin at midnight in UTC")
    func days() {
        #expect(Day(of: Minute(sinceEpoch: 1_439)!) == .first)
        #expect(Day(of: Minute(sinceEpoch: 1_440)!).description == "1970-01-02")
        #expect(Day(of: Minute(sinceEpoch: 29_000_000)!).description == "2025-02-19")
        #expect(Day.last.description == "9999-12-31")
        #expect(Day(sinceEpoch: -1) == nil)
        #expect(Day(sinceEpoch: Int64(Day.last.sinceEpoch)) == .last)
        #expect(Day(sinceEpoch: Int64(Day.last.sinceEpoch) + 1) == nil)
    }
}
