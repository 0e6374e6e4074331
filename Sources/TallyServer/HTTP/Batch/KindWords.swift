// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The kinds of one batch, found by the bytes of their names: comparing four words costs less than making a text and its
/// hash, and a batch rarely has more than a few.
struct KindWords {
    /// A name of at most 32 bytes, none of them zero; zeros follow.
    struct Words: Equatable {
        private let words: SIMD4<UInt64>

        /// - Returns: nil when it is too long for a kind.
        init?(_ name: UnsafeRawBufferPointer) {
            guard name.count <= Limits.kindNameBytes, let start = name.baseAddress else { return nil }
            var words = SIMD4<UInt64>()
            withUnsafeMutableBytes(of: &words) { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(start: start, count: name.count))
            }
            self.words = words
        }

        /// The name again.
        var name: String {
            withUnsafeBytes(of: words) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
        }
    }

    static let click = Kind.click.name.utf8.withContiguousStorageIfAvailable { Words(UnsafeRawBufferPointer($0))! }!

    private var words: [Words] = [click]
    private var kinds: [Kind] = [.click]

    subscript(number: Int) -> Kind { kinds[number] }

    /// - Returns: nil when no kind has this name, or when there are as many as one deployment has: a batch of very many
    ///   would make each look-up as long.
    mutating func number(of name: Words) -> Int? {
        if let number = words.firstIndex(of: name) { return number }
        guard kinds.count < Limits.kinds, let kind = Kind(name.name) else { return nil }
        words.append(name)
        kinds.append(kind)
        return kinds.count - 1
    }
}
