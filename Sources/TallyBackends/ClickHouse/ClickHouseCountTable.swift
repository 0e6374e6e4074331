// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// The table `tally_counts` in one layout: its columns, and the way between its rows and values.
struct ClickHouseCountTable: CountColumns, Sendable {
    /// 30 days: few parts for a flush, and something to drop when it is old.
    static let secondsPerPartition: Int64 = 30 * 86_400
    /// The last minute of 2105, behind which the type `DateTime` shows nothing right.
    private static let lastShown = 4_291_747_140

    let layout: Layout

    var countsType: String {
        switch layout {
        case .minute: "Int64"
        case .hour: "Array(Int64)"
        }
    }

    /// The newest rows that fulfil a condition on the key and count, for a FROM.
    /// - Parameters:
    ///   - hasHorizons: of any log.
    ///   - prefix: of the tables: empty, or a database and a full stop.
    func rows(where condition: String, hasHorizons: Bool, prefix: String = "") -> String {
        let counts = "\(prefix)tally_counts FINAL WHERE \(condition)"
        guard hasHorizons else { return counts }
        func counting(_ isCollapsed: Bool) -> String {
            ClickHouseHorizons.condition(timestamp, isCollapsed: isCollapsed, prefix: prefix)
        }
        return """
            (SELECT \(columns) FROM \(counts) AND \(counting(false))
            UNION ALL SELECT \(columns) FROM \(prefix)tally_collapsed FINAL WHERE \(condition) AND \(counting(true)))
            """
    }

    /// Without its name: the plain numbers, a row for each minute with a count. A full counter stays full, so the halves
    /// of the counts are added apart.
    func view(in database: String, where condition: String = "1") -> String {
        let rows = rows(where: condition, hasHorizons: true, prefix: database + ".")
        let (source, minute) = minutes(of: rows)
        return """
            SELECT banner_id, kind, toDateTime(if(minute > \(Self.lastShown), \(Self.lastShown), minute), 'UTC') AS minute_timestamp,
                if(high + bitShiftRight(low, 32) > 2147483647, toInt64(9223372036854775807), bitShiftLeft(high, 32) + low)
                    AS count
            FROM (
                SELECT banner_id, kind, \(minute) AS minute, \(Self.halves)
                FROM \(source)
                GROUP BY banner_id, kind, minute
                HAVING high > 0 OR low > 0
            )
            """
    }

    /// Without its name: for each kind of the user's what was sent, what is left without invalid events, and these by reason.
    func trafficView(in database: String) -> String {
        let reasons = InvalidReason.allCases.map(\.rawValue)
        // Each kind of the inner rows is there once for a banner and minute, so that a maximum picks it.
        let picked = reasons.map { "maxIf(count, kind LIKE '%.\($0)') AS \($0)" }
        return """
            SELECT banner_id, name AS kind, minute_timestamp, gross,
                if(gross > \(reasons.joined(separator: " + ")), gross - (\(reasons.joined(separator: " + "))), 0) AS net,
                \(reasons.joined(separator: ", "))
            FROM (
                SELECT banner_id, splitByChar('.', toString(kind))[1] AS name, minute_timestamp,
                    maxIf(count, position(kind, '.') = 0) AS gross, \(picked.joined(separator: ", "))
                FROM (\(view(in: database)))
                GROUP BY banner_id, name, minute_timestamp
            )
            """
    }

    /// The sums of the upper and the lower halves of the counts: 32 bits each, so that no sum is too large for 64.
    static let halves = "sum(bitShiftRight(count, 32)) AS high, sum(bitAnd(count, toInt64(4294967295))) AS low"

    /// A source of rows with a `count` for each minute, and the expression for this minute.
    /// - Parameter rows: a source of rows as they are stored.
    func minutes(of rows: String) -> (source: String, minute: String) {
        switch layout {
        case .minute: (rows, timestamp)
        case .hour:
            (
                """
                (SELECT \(columns) FROM \(rows))
                ARRAY JOIN count_by_minute AS count, arrayEnumerate(count_by_minute) AS place
                """, "hour_timestamp + 60 * (place - 1)"
            )
        }
    }
}

// MARK: - Rows

extension ClickHouseCountTable {
    func encode(_ rows: some Collection<Row>, of log: LogID) -> ByteBuffer {
        var writer = RowBinaryWriter(capacity: rows.count * (80 + layout.minutesPerRow * 8))
        for row in rows {
            writer.write(row.key.banner.value)
            writer.write(row.key.kind.name)
            writer.write(row.key.start.unixSeconds)
            writer.write(log.name)
            switch row.counts {
            case .minute(let count): writer.write(count)
            case .hour(let counts): writer.write(counts)
            }
            writer.write(UInt64(row.upTo.value))
        }
        return writer.buffer
    }

    func decode(_ answer: ByteBuffer) throws(ClickHouseDamage) -> [StoredRow] {
        var reader = RowBinaryReader(answer)
        var kinds = ClickHouseNames.kinds
        var logs = ClickHouseNames.logs
        var rows: [StoredRow] = []
        while !reader.isAtEnd {
            let key = RowKey(
                banner: try reader.readBanner(), kind: try kinds.read(from: &reader),
                start: try reader.readStart(layout))
            let log = try logs.read(from: &reader)
            let counts = try counts(from: &reader)
            rows.append(StoredRow(log: log, row: Row(key: key, counts: counts, upTo: try reader.readOffset())))
        }
        return rows
    }

    private func counts(from reader: inout RowBinaryReader) throws(ClickHouseDamage) -> RowCounts {
        switch layout {
        case .minute: return .minute(try reader.readCount())
        case .hour:
            let length = try reader.readLength()
            guard length == layout.minutesPerRow else {
                throw ClickHouseDamage("a count_by_minute of \(length) counts, not \(layout.minutesPerRow)")
            }
            var counts: [Int64] = []
            counts.reserveCapacity(length)
            for _ in 0..<length { counts.append(try reader.readCount()) }
            return .hour(counts)
        }
    }

    /// - Parameter name: of the temporary table; it has the columns `banner_id, kind` and the timestamp's.
    func keys(_ keys: some Collection<RowKey>, named name: String) -> ClickHouseStatement.TemporaryTable {
        var writer = RowBinaryWriter(capacity: keys.count * 32)
        for key in keys {
            writer.write(key.banner.value)
            writer.write(key.kind.name)
            writer.write(key.start.unixSeconds)
        }
        return ClickHouseStatement.TemporaryTable(
            name: name, structure: "banner_id Int64, kind String, \(timestamp) Int64", rows: writer.buffer)
    }

    /// - Parameter name: of the temporary table; it has the column `log` before those of `keys`.
    func keys(_ rows: [StoredRow], named name: String) -> ClickHouseStatement.TemporaryTable {
        var writer = RowBinaryWriter(capacity: rows.count * 64)
        for one in rows {
            writer.write(one.log.name)
            writer.write(one.row.key.banner.value)
            writer.write(one.row.key.kind.name)
            writer.write(one.row.key.start.unixSeconds)
        }
        return ClickHouseStatement.TemporaryTable(
            name: name, structure: "log String, banner_id Int64, kind String, \(timestamp) Int64", rows: writer.buffer)
    }
}
