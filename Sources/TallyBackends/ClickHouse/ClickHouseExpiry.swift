// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// The statements that make the old counts of a log coarser; see `ClickHouseHorizons` for what a reader sees of it.
struct ClickHouseExpiry {
    let table: ClickHouseCountTable
    let log: LogID

    /// Puts the totals between two horizons beside the minutes. It may be done again.
    func collapse(from old: Horizon, to new: Horizon) -> ClickHouseStatement {
        let first = max(old.collapsed, new.dropped).unixSeconds
        let condition = """
            log = '\(log.name)' AND \(table.timestamp) >= \(first) AND \(table.timestamp) < \(new.collapsed.unixSeconds)
            """
        let (source, minute) = table.minutes(of: "tally_counts FINAL WHERE \(condition)")
        let seconds = Horizon.minutesPerTotal * 60
        let total =
            "if(high + bitShiftRight(low, 32) > 2147483647, toInt64(9223372036854775807), bitShiftLeft(high, 32) + low)"
        let totals = """
            SELECT banner_id, kind, start, log, \(total) AS total, newest FROM (
                SELECT banner_id, kind, log, intDiv(\(minute), \(seconds)) * \(seconds) AS start,
                    \(ClickHouseCountTable.halves), max(up_to) AS newest
                FROM \(source)
                GROUP BY banner_id, kind, log, start
            )
            """
        return ClickHouseStatement(
            sql: "INSERT INTO tally_collapsed (\(table.columns))\n"
                + (table.layout == .minute ? totals : ClickHouseExpiry.hours(of: totals)))
    }

    /// Puts the totals of an hour into one row, each at its first minute.
    private static func hours(of totals: String) -> String {
        let minutes = Horizon.minutesPerTotal
        let zeros = "arrayMap(x -> toInt64(0), range(\(minutes - 1)))"
        let counts = (0..<60 / minutes).map { place in
            "[sumIf(total, start - intDiv(start, 3600) * 3600 = \(place * minutes * 60))], \(zeros)"
        }
        return """
            SELECT banner_id, kind, intDiv(start, 3600) * 3600 AS hour, log, arrayConcat(\(counts.joined(separator: ", "))), max(newest)
            FROM (\(totals))
            GROUP BY banner_id, kind, log, hour
            """
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
