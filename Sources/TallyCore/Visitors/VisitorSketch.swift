// SPDX-License-Identifier: Apache-2.0

/// Estimates how many different visitors were sighted: a HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007, "HyperLogLog: the
/// analysis of a near-optimal cardinality estimation algorithm"), with 64 bits of hash, so that its correction for large
/// numbers is not needed.
///
/// A visitor's bits choose a register and, by how many zeros follow, a rank; a register keeps its highest rank.
package struct VisitorSketch: Equatable, Sendable {
    package static let registerBits = 10
    package static let registers = 1 << registerBits
    package static let highestRank: UInt8 = 64 - UInt8(registerBits) + 1
    /// Of an estimate, relative: two of three are no further from the truth, and 95 of 100 no further than twice that.
    package static let standardError = 1.04 / 32  // The root of 1,024.

    private static let bias = 0.7213 / (1 + 1.079 / Double(registers))

    /// 0 where nobody was sighted.
    private var ranks = [UInt8](repeating: 0, count: registers)

    package init() {}

    package init(_ sightings: some Sequence<Sighting>) {
        for sighting in sightings { note(Sighting.Mark(register: sighting.place.register, rank: sighting.rank)) }
    }

    package mutating func note(_ mark: Sighting.Mark) {
        let register = Int(mark.register)
        ranks[register] = max(ranks[register], mark.rank)
    }

    /// The number of different visitors, rounded; 0 only when there was none. The views of the stores say the same.
    package var estimate: Int64 {
        let empty = ranks.count { $0 == 0 }
        let sum = ranks.reduce(0.0) { $0 + Double(sign: .plus, exponent: -Int($1), significand: 1) }
        let size = Double(VisitorSketch.registers)
        let raw = VisitorSketch.bias * size * size / sum
        // While registers are free, their number says more ("linear counting").
        let isSmall = raw <= 2.5 * size && empty > 0
        // Whoever has the store may have written ranks of which the sum is more than any number of visitors.
        let estimate = isSmall ? size * VisitorSketch.logarithm(size / Double(empty)) : raw
        return Int64(clamping: Int128(estimate.rounded()))
    }

    /// The natural one, of a number that is at least 1. The core needs no C library for it.
    static func logarithm(_ number: Double) -> Double {
        // Of a significand from 1 to 2 it is 2 artanh((s - 1) / (s + 1)), a series of which each term is a ninth of the last.
        let ratio = (number.significand - 1) / (number.significand + 1)
        var sum = 0.0
        var power = ratio
        for odd in stride(from: 1.0, to: 40, by: 2) {
            sum += power / odd
            power *= ratio * ratio
        }
        return Double(number.exponent) * 0.693_147_180_559_945_309 + 2 * sum
    }
}
