// SPDX-License-Identifier: Apache-2.0

/// A stored sum: what a log, up to an offset, says about one banner and kind in one minute or hour.
///
/// **The higher offset wins**: a row replaces another of the same key and log exactly when its `upTo` is higher.
package struct Row: Hashable, Sendable {
    package var key: RowKey
    package var counts: RowCounts
    /// The offset of the last chunk that changed this row; all that the log holds up to it is included.
    package var upTo: LogOffset

    package init(key: RowKey, counts: RowCounts, upTo: LogOffset) {
        self.key = key
        self.counts = counts
        self.upTo = upTo
    }
}

/// What a row is about. The log it comes from belongs to its identity too, and is named wherever rows of several meet.
package struct RowKey: Hashable, Sendable {
    package var banner: BannerID
    package var kind: Kind
    /// The row's first minute; a whole hour in the layout `hour`.
    package var start: Minute

    package init(banner: BannerID, kind: Kind, start: Minute) {
        self.banner = banner
        self.kind = kind
        self.start = start
    }
}

extension RowKey: Comparable {
    /// By (banner, kind, start): the order in which stores keep rows.
    package static func < (left: RowKey, right: RowKey) -> Bool {
        if left.banner != right.banner { return left.banner < right.banner }
        if left.kind != right.kind { return left.kind < right.kind }
        return left.start < right.start
    }
}

/// The count of a minute, or the 60 counts of an hour. Counts are never negative, and stay at `Int64.max` once there.
package enum RowCounts: Hashable, Sendable {
    case minute(Int64)
    /// Exactly 60, one for each minute of the hour.
    case hour([Int64])

    package var layout: Layout {
        switch self {
        case .minute: .minute
        case .hour: .hour
        }
    }

    package var total: Int64 {
        switch self {
        case .minute(let count): count
        case .hour(let counts): counts.reduce(0) { $0.addingSaturated($1) }
        }
    }

    /// One for each minute of the row.
    package var all: [Int64] {
        switch self {
        case .minute(let count): [count]
        case .hour(let counts): counts
        }
    }

    package static func zero(_ layout: Layout) -> RowCounts {
        switch layout {
        case .minute: .minute(0)
        case .hour: .hour(Array(repeating: 0, count: 60))
        }
    }

    /// The count of the minute at this place in the row, from 0.
    package subscript(index: Int) -> Int64 {
        get {
            switch self {
            case .minute(let count): count
            case .hour(let counts): counts[index]
            }
        }
        set {
            switch self {
            case .minute: self = .minute(newValue)
            case .hour(var counts):
                self = .minute(0)  // Gives up the array, so that it is changed in place.
                counts[index] = newValue
                self = .hour(counts)
            }
        }
    }
}

extension Row {
    /// The one rule: the higher offset wins.
    /// - Parameter stored: the row of the same key and log, if there is one.
    package func replaces(_ stored: Row?) -> Bool { stored.map { upTo > $0.upTo } ?? true }

    /// The minutes in which something was counted, ascending.
    package var minuteCounts: [(minute: Minute, count: Int64)] {
        var found: [(minute: Minute, count: Int64)] = []
        forEachMinute { found.append(($0, $1)) }
        return found
    }

    /// Calls `body` with each minute in which something was counted, ascending, and its count.
    package func forEachMinute(_ body: (Minute, Int64) -> Void) {
        switch counts {
        case .minute(let count): if count != 0 { body(key.start, count) }
        case .hour(let counts):
            for (index, count) in counts.enumerated() where count != 0 {
                body(key.start.advanced(by: Int64(index)), count)
            }
        }
    }
}

extension Int64 {
    /// The sum of two counts; a counter that is full stays full instead of stopping the process.
    package func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
