// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// An event as a file tells it: its banner may still be only a name.
struct ImportedEvent: Equatable, Sendable {
    enum Subject: Hashable, Sendable {
        case banner(BannerID)
        /// 1 to `Limits.bannerNameBytes` bytes; becomes a banner of this name.
        case name(String)
    }

    var subject: Subject
    var kind: Kind
    var minute: Minute
    /// From 1 to `Limits.eventCount`.
    var count: Int64 = 1
    /// 1 to `Limits.eventIDBytes` bytes.
    var id: String?
}

/// What became of one record of the file.
enum RecordOutcome: Equatable, Sendable {
    /// - Parameter repaired: the name was no valid UTF-8; what wasn't is U+FFFD now.
    case event(ImportedEvent, repaired: Bool = false)
    /// A good line that `--match` doesn't match: not asked for.
    case unmatched
    /// A blank line, or a header.
    case nothing
    /// It can't be read, and why.
    case rejected(String)
}

/// Reads records one after another; a header tells a table's reader about the rows that follow.
protocol RecordReader {
    /// - Throws: `.failed` when nothing in the file can be read, such as a table without a usable header.
    mutating func read(_ record: Record) throws(CommandFailure) -> RecordOutcome
}
