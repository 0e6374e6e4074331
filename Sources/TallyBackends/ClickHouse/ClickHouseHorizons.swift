// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import TallyCore

/// The horizons of the logs: where the counts of a log are totals of quarters of an hour, in `tally_collapsed`, and before that none.
///
/// A row of `tally_counts` counts only from its log's horizon on, one of `tally_collapsed` only before it. So an hour becomes
/// coarser at one blow, when the new horizon is written. What doesn't count any more is dropped later, a whole partition at a
/// time, when no statement that began before can still be reading it.
final class ClickHouseHorizons: Sendable {
    /// What another process has set is seen after this time; until then, all that this one reads is still there.
    private static let freshness = Duration.seconds(10)

    private struct Known {
        var horizons: [LogID: Horizon]
        var since: ContinuousClock.Instant
    }

    private let known = Mutex<Known?>(nil)

    static let columns = "log, collapsed_before, dropped_before"

    /// What was found out not long ago.
    var recent: [LogID: Horizon]? {
        known.withLock { known in
            guard let known, ContinuousClock.now - known.since < Self.freshness else { return nil }
            return known.horizons
        }
    }

    func remember(_ horizons: [LogID: Horizon]) { known.withLock { $0 = Known(horizons: horizons, since: .now) } }

    /// The next question goes to the server.
    func forget() { known.withLock { $0 = nil } }

    /// A horizon never goes back, so each part is the highest that was ever written.
    static func statement(where condition: String) -> ClickHouseStatement {
        .select(
            "SELECT log, max(collapsed_before), max(dropped_before) FROM tally_horizons WHERE \(condition) GROUP BY log"
        )
    }

    static func decode(_ answer: ByteBuffer) throws(ClickHouseDamage) -> [LogID: Horizon] {
        var reader = RowBinaryReader(answer)
        var names = ClickHouseNames.logs
        var horizons: [LogID: Horizon] = [:]
        while !reader.isAtEnd {
            let log = try names.read(from: &reader)
            horizons[log] = Horizon(collapsed: try reader.readStart(.hour), dropped: try reader.readStart(.hour))
        }
        return horizons
    }

    static func encode(_ horizon: Horizon, of log: LogID) -> ByteBuffer {
        var writer = RowBinaryWriter()
        writer.write(log.name)
        writer.write(horizon.collapsed.unixSeconds)
        writer.write(horizon.dropped.unixSeconds)
        return writer.buffer
    }

    /// The condition under which a row of one of the two tables counts. The horizons are read by the server, in the same
    /// statement, since the names of many logs don't fit into it.
    /// - Parameter prefix: of the tables: empty, or a database and a full stop.
    static func condition(_ timestamp: String, isCollapsed: Bool, prefix: String = "") -> String {
        func horizon(_ column: String) -> String {
            // In order, since it is read twice: names and horizons have to lie in the same places.
            let newest =
                "(SELECT log, max(\(column)) AS newest FROM \(prefix)tally_horizons GROUP BY log ORDER BY log)"
            return "transform(log, (SELECT arrayConcat([''], groupArray(log)) FROM \(newest)), "
                + "(SELECT arrayConcat([toInt64(0)], groupArray(newest)) FROM \(newest)), toInt64(0))"
        }
        let collapsed = horizon("collapsed_before")
        if !isCollapsed { return "\(timestamp) >= \(collapsed)" }
        return "\(timestamp) < \(collapsed) AND \(timestamp) >= \(horizon("dropped_before"))"
    }
}
