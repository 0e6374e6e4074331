// SPDX-License-Identifier: Apache-2.0

/// The bounds of everything that comes from outside, in one place. Each is checked where the value enters.
package enum Limits {
    /// The longest name of a kind, in bytes.
    package static let kindNameBytes = 32
    /// The most kinds in one deployment: a kind's index fits a byte.
    package static let kinds = 256
    /// The longest event id, in bytes of UTF-8.
    package static let eventIDBytes = 256
    /// The largest `n` of one event. Nine billion such events fit a counter.
    package static let eventCount: Int64 = 1_000_000_000
    /// The most partitions of a log: their number fits two bytes.
    package static let partitions = 1 << 16
    /// The most entries (deltas and identified events) of one chunk.
    package static let chunkEntries = 100_000
    /// The most ranges of unsettled sequences that one chunk declares.
    package static let unsettledRanges = 64
    /// The largest encoded chunk, in bytes; a log refuses to read anything larger as a chunk.
    /// An entry takes at most 45 bytes, so `chunkEntries` of them always fit.
    package static let chunkBytes = 8 << 20
    /// The most rows in one look-up, so that queries get their turn with the store.
    package static let keysPerLoad = 10_000
    /// The maximum number of conflicts of one merge that are described; the others are only counted.
    package static let conflictsKept = 100
    /// The largest body of a request, in bytes.
    package static let bodyBytes = 8 << 20
    /// The longest name of a banner, in bytes of UTF-8.
    package static let bannerNameBytes = 2_048
    /// The longest target URL of a banner, in bytes of UTF-8.
    package static let bannerTargetBytes = 2_048
    /// The most tags of a banner, and the longest tag in bytes of UTF-8.
    package static let bannerTags = 32
    package static let bannerTagBytes = 64
}
