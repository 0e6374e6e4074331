// SPDX-License-Identifier: Apache-2.0

/// The names of the files in a journal's directory.
enum SegmentName {
    private static let digits = 20
    private static let suffix = ".segment"
    /// A file that is being made; it becomes a segment when it is renamed, and means nothing before.
    static let unfinishedSuffix = ".new"
    /// The copy of a file that a repair replaced. The journal never reads it.
    static let damagedSuffix = ".damaged"

    /// Such as `00000000000000000001.segment`: sorted by name is sorted by offset.
    static func name(first: LogOffset) -> String {
        let number = String(first.value)
        return String(repeating: "0", count: digits - number.utf8.count) + number + suffix
    }

    /// - Returns: nil when this is not the name of a segment.
    static func first(of name: String) -> LogOffset? {
        guard name.utf8.count == digits + suffix.utf8.count, name.hasSuffix(suffix) else { return nil }
        let number = name.utf8.prefix(digits)
        guard number.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = Int64(String(decoding: number, as: UTF8.self)), value >= 1
        else { return nil }
        return LogOffset(value)
    }

    static func segments(in names: [String]) -> [String] { names.filter { first(of: $0) != nil }.sorted() }

    static func unfinished(in names: [String]) -> [String] {
        names.filter { $0.hasSuffix(unfinishedSuffix) && first(of: String($0.dropLast(unfinishedSuffix.count))) != nil }
            .sorted()
    }
}
