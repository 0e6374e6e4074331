// SPDX-License-Identifier: Apache-2.0

/// A set of banner ids, 64 neighbours in a word: ids are mostly given out in a row, and then a million of them take
/// 0.5 MB instead of 16.
struct BannerSet: Sendable {
    /// By the id without its lowest six bits.
    private var words: [Int64: UInt64] = [:]
    private(set) var count = 0

    func contains(_ id: BannerID) -> Bool { (words[id.value >> 6] ?? 0) & BannerSet.bit(of: id) != 0 }

    /// - Returns: false when it was there already.
    mutating func insert(_ id: BannerID) -> Bool {
        let bit = BannerSet.bit(of: id)
        let word = words[id.value >> 6, default: 0]
        guard word & bit == 0 else { return false }
        words[id.value >> 6] = word | bit
        count += 1
        return true
    }

    /// Ascending.
    var sorted: [BannerID] {
        words.sorted { $0.key < $1.key }.flatMap { prefix, word in
            (0..<64).compactMap { word >> UInt64($0) & 1 == 1 ? BannerID(prefix << 6 | $0) : nil }
        }
    }

    private static func bit(of id: BannerID) -> UInt64 { 1 << UInt64(id.value & 63) }
}
