// SPDX-License-Identifier: Apache-2.0

/// The hash of our own tables, whose keys outsiders choose: two rounds of the folded multiplication of wyhash (Wang Yi, 2019),
/// under a key that the process draws at random. Without the key no keys can be found whose hashes are alike, so that no client can make
/// a look-up slow. Where the process's own values are compared, not looked up, `mixed` is enough.
package struct KeyedHash: Sendable {
    @usableFromInline let first: UInt64
    @usableFromInline let second: UInt64

    /// - Parameter seed: random, except where a run must be repeatable.
    package init(seed: UInt64) {
        first = (seed &+ 0x9E37_79B9_7F4A_7C15).mixed()
        second = (seed &+ 0x3C6E_F372_FE94_F82A).mixed()
    }

    /// All 128 bits count.
    @inlinable @inline(__always)
    package func callAsFunction(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = (left ^ first).multipliedFullWidth(by: right ^ second)
        let again = (product.low ^ second).multipliedFullWidth(by: product.high ^ first)
        return again.low ^ again.high
    }
}
