// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
    /// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): values that are neighbours spread evenly over all 64 bits. What it
    /// makes of a value must never change, since the partitions of logs rest on it.
    @inlinable @inline(__always)
    package func mixed() -> UInt64 {
        var value = (self ^ self >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// Hash tables by open addressing with linear probing; their sizes are powers of two.
package enum Probing {
    /// The place of what is looked for, or the free one where it belongs.
    /// - Parameter isOther: whether something else stands at a place; at one place at least, nothing does.
    @inlinable @inline(__always)
    package static func place(of hash: UInt64, in size: Int, where isOther: (_ place: Int) -> Bool) -> Int {
        let mask = size &- 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while isOther(place) { place = (place &+ 1) & mask }
        return place
    }
}
