// SPDX-License-Identifier: Apache-2.0

/// What one server knows of one log beyond the store, at one moment.
///
/// Together with the store, read afterwards, it is the whole log up to `position`.
package struct LogView: Equatable, Sendable {
    package var log: LogID
    /// From 0; of the journal always 0.
    package var partition: Int
    /// The last chunk that was counted.
    package var position: LogOffset
    /// The log's time there.
    package var time: Timestamp
    /// Why there may be more in the log; nil when the end was reached.
    package var behind: String?
    package var rows: [UnflushedRow]

    package init(
        log: LogID, partition: Int, position: LogOffset, time: Timestamp, behind: String? = nil, rows: [UnflushedRow]
    ) {
        self.log = log
        self.partition = partition
        self.position = position
        self.time = time
        self.behind = behind
        self.rows = rows
    }

    /// Of two servers that count the same log, the one that has come further is right: it knows all that the other does,
    /// or the store does.
    package static func furthest(_ views: [LogView]) -> [LogID: LogView] {
        var furthest: [LogID: LogView] = [:]
        for view in views where furthest[view.log].map({ view.isFurther(than: $0) }) ?? true {
            furthest[view.log] = view
        }
        return furthest
    }

    private func isFurther(than other: LogView) -> Bool {
        if position != other.position { return position > other.position }
        return behind == nil && other.behind != nil
    }
}
