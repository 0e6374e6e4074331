// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// The conflicts that the flushes of a process have met since its start. They are told until the process ends, since what is
/// stored may be wrong until the fault is found.
package struct StoreConflicts: Equatable, Sendable {
    /// The maximum number that `latest` holds.
    package static let maximumLatest = 20
    /// The maximum number of log lines that describe one conflict each.
    static let maximumLogged = 100

    package struct Entry: Equatable, Sendable {
        package var log: LogID
        package var conflict: RowConflict
        package var time: Timestamp
    }

    /// A flush that is repeated after a failure counts its conflicts again.
    package private(set) var count = 0
    /// The newest last; each row and offset once.
    package private(set) var latest: [Entry] = []
    private var logged = 0

    package init() {}

    /// - Parameter time: of the clock.
    /// - Returns: the conflicts to be logged: those that are new, as long as not too many were logged.
    mutating func add(_ conflicts: RowConflicts, of log: LogID, at time: Timestamp) -> [RowConflict] {
        count += conflicts.count
        var new: [RowConflict] = []
        for conflict in conflicts.first where !contains(conflict, of: log) {
            latest.append(Entry(log: log, conflict: conflict, time: time))
            guard logged < StoreConflicts.maximumLogged else { continue }
            logged += 1
            new.append(conflict)
        }
        latest = latest.suffix(StoreConflicts.maximumLatest)
        return new
    }

    /// Adds those of another partition.
    mutating func add(_ other: StoreConflicts) {
        count += other.count
        latest = (latest + other.latest).sorted { $0.time < $1.time }.suffix(StoreConflicts.maximumLatest)
    }

    private func contains(_ conflict: RowConflict, of log: LogID) -> Bool {
        latest.contains { entry in
            entry.log == log && entry.conflict.key == conflict.key && entry.conflict.upTo == conflict.upTo
        }
    }

    /// For people; nil when there is none.
    package var problem: String? {
        guard let last = latest.last else { return nil }
        return """
            \(count) rows of a flush contradict stored rows of the same offset, the latest in the log \(last.log): \
            \(last.conflict); a server has read another log, or counts with other settings
            """
    }
}
