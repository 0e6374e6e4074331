// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// The statements that make the old counts of a log coarser; see `ClickHouseHorizons` for what a reader sees of it.
struct ClickHouseExpiry {
    let table: ClickHouseCountTable
    let log: LogID

    /// Puts the hours between two horizons beside their minutes. It may be done again.
    func collapse(from old: Horizon, to new: Horizon) -> ClickHouseStatement {
        let first = max(old.collapsed, new.dropped).unixSeconds
        let condition = """
            log = '\(log.name)' AND \(table.timestamp) >= \(first) AND \(table.timestamp) < \(new.collapsed.unixSeconds)
            """
        let (source, _) = table.minutes(of: "tally_counts FINAL WHERE \(condition)")
        let total =
            "if(high + bitShiftRight(low, 32) > 2147483647, toInt64(9223372036854775807), bitShiftLeft(high, 32) + low)"
        let counts =
            table.layout == .minute ? total : "arrayConcat([\(total)], arrayMap(x -> toInt64(0), range(59)))"
        return ClickHouseStatement(
            sql: """
                INSERT INTO tally_collapsed (\(table.columns))
                SELECT banner_id, kind, start, log, \(counts), newest FROM (
                    SELECT banner_id, kind, log, intDiv(\(table.timestamp), 3600) * 3600 AS start,
                        \(ClickHouseCountTable.halves), max(up_to) AS newest
                    FROM \(source)
                    GROUP BY banner_id, kind, log, start
                )
                """)
    }

    /// The partitions of a table before a horizon, each with the logs that have rows in it.
    func partitions(of name: String, before end: Minute) -> ClickHouseStatement {
        .select(
            """
            SELECT toInt64(intDiv(\(table.timestamp), \(ClickHouseCountTable.secondsPerPartition))) AS number,
                groupUniqArray(toString(log)) FROM \(name) WHERE \(table.timestamp) < \(end.unixSeconds) GROUP BY number
            """)
    }

    /// - Parameters:
    ///   - answer: to `partitions`.
    ///   - end: before which the rows of a log don't count.
    /// - Returns: the partitions of which no row counts.
    static func outdated(
        _ answer: ByteBuffer, end: (LogID) -> Minute
    ) throws(ClickHouseDamage) -> [Int64] {
        var reader = RowBinaryReader(answer)
        var outdated: [Int64] = []
        while !reader.isAtEnd {
            let number: Int64 = try reader.read()
            let last = (number + 1) * ClickHouseCountTable.secondsPerPartition
            var names = ClickHouseNames.logs
            var isOutdated = true
            for _ in 0..<(try reader.readLength()) {
                let log = try names.read(from: &reader)
                if end(log).unixSeconds < last { isOutdated = false }
            }
            if isOutdated { outdated.append(number) }
        }
        return outdated.sorted()
    }
}
