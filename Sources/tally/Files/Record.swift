// SPDX-License-Identifier: Apache-2.0

/// One line of a file, or one row of a CSV file, which may span several lines.
struct Record: Equatable, Sendable {
    /// Of its first line, from 1.
    let line: Int
    /// Without the end of line.
    let bytes: [UInt8]
    /// It is longer than `RecordSplitter.longest`, so its bytes were dropped.
    let isTooLong: Bool

    var isBlank: Bool { !isTooLong && bytes.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }
}
