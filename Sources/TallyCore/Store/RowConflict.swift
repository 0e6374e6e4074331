// SPDX-License-Identifier: Apache-2.0

/// Two rows of one log with the same key and `upTo`, and different counts: one is stored, the other was to be merged.
///
/// By the one rule both are the sum of the log up to `upTo`. So a conflict proves a fault: a server that read less than the log
/// holds, counted a chunk twice, or counts with other settings.
package struct RowConflict: Hashable, Sendable {
    package var key: RowKey
    package var upTo: LogOffset
    package var stored: RowCounts
    package var given: RowCounts

    package init(key: RowKey, upTo: LogOffset, stored: RowCounts, given: RowCounts) {
        self.key = key
        self.upTo = upTo
        self.stored = stored
        self.given = given
    }

    /// - Parameter stored: the row of the same key and log, if there is one.
    /// - Returns: nil when the two rows do not contradict each other.
    package init?(stored: Row?, given: Row) {
        guard let stored, stored.upTo == given.upTo, stored.counts != given.counts else { return nil }
        self.init(key: given.key, upTo: given.upTo, stored: stored.counts, given: given.counts)
    }
}

/// The conflicts of a merge: each is counted, and the first ones are kept.
package struct RowConflicts: Equatable, Sendable {
    package private(set) var count = 0
    /// At most `Limits.conflictsKept`.
    package private(set) var first: [RowConflict] = []

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package mutating func add(_ conflict: RowConflict) {
        count += 1
        if first.count < Limits.conflictsKept { first.append(conflict) }
    }

    package mutating func add(_ others: RowConflicts) {
        count += others.count
        first += others.first.prefix(Limits.conflictsKept - first.count)
    }
}

extension RowConflict {
    /// The minutes in which the two rows differ, ascending; at least one.
    package var differences: [(minute: Minute, stored: Int64, given: Int64)] {
        zip(stored.all, given.all).enumerated().compactMap { index, counts in
            guard counts.0 != counts.1 else { return nil }
            return (key.start.advanced(by: Int64(index)), counts.0, counts.1)
        }
    }
}

extension RowConflict: CustomStringConvertible {
    /// The maximum number of minutes that a text names.
    private static var maximumMinutes: Int { 5 }

    package var description: String { "banner \(key.banner), \(key.kind), up to offset \(upTo): \(countsText)" }

    /// Both counts of the first minutes that differ.
    package var countsText: String {
        let minutes = differences
        let named = minutes.prefix(Self.maximumMinutes).map { minute, stored, given in
            "\(minute.text()) \(stored) stored and \(given) counted"
        }
        let rest = minutes.count - named.count
        return named.joined(separator: ", ") + (rest > 0 ? " and \(rest) more minutes" : "")
    }
}
