// SPDX-License-Identifier: Apache-2.0

/// A fingerprint of all that happened: two runs of one seed have the same, or something depends on more than the seed.
struct History {
    /// FNV-1a over 64-bit words (Fowler, Noll, Vo), with a shift so that the upper bits reach the lower ones.
    private(set) var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325
    /// What happened last, in words; nothing is kept while it is nil.
    private(set) var lines: [String]?

    init(keepsLines: Bool) { lines = keepsLines ? [] : nil }

    mutating func note(_ what: StaticString, _ numbers: Int64...) {
        mix(UInt64(truncatingIfNeeded: what.utf8CodeUnitCount))
        mix(UInt64(what.utf8Start.pointee))
        for number in numbers { mix(UInt64(bitPattern: number)) }
        if lines != nil { lines?.append("\(what) \(numbers.map(String.init).joined(separator: " "))") }
    }

    private mutating func mix(_ word: UInt64) {
        fingerprint = (fingerprint ^ word) &* 0x0000_0100_0000_01B3
        fingerprint ^= fingerprint >> 32
    }
}
