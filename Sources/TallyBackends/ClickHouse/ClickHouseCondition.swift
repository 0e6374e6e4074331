// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The condition of a SELECT on `tally_counts` or `tally_sightings`, and the temporary tables that its lists need.
///
/// It speaks of columns of the key alone. So it may be applied before the newest version of a row is found.
struct ClickHouseCondition {
    /// Longer lists become tables: a statement with tables has to fit into a URL of 16 KiB.
    private static let longestList = 20

    private(set) var sql: String
    private(set) var tables: [ClickHouseStatement.TemporaryTable] = []

    /// The rows that overlap a range.
    init(_ range: RowRange, of table: ClickHouseCountTable) {
        let first = table.layout.rowStart(of: range.minutes.lowerBound)
        sql = "\(table.timestamp) BETWEEN \(first.unixSeconds) AND \(range.minutes.upperBound.unixSeconds)"
        if range.ids != RowRange.allIDs {
            sql += " AND banner_id BETWEEN \(range.ids.lowerBound) AND \(range.ids.upperBound)"
        }
        if let banners = range.banners { restrict(to: banners) }
        if let kinds = range.kinds { restrict(to: kinds) }
    }

    /// The sightings of some days.
    init(_ banners: Set<BannerID>?, in days: ClosedRange<Day>) {
        sql = "day BETWEEN \(days.lowerBound.sinceEpoch) AND \(days.upperBound.sinceEpoch)"
        if let banners { restrict(to: banners) }
    }

    /// The rows of a log with these keys; there is at least one.
    init(_ keys: [RowKey], of log: LogID, in table: ClickHouseCountTable) {
        // The bounds lead to few places of the table even where the server doesn't look for each key of a list.
        let banners = (keys.map(\.banner).min()?.value ?? 0, keys.map(\.banner).max()?.value ?? 0)
        let starts = (keys.map(\.start).min()?.unixSeconds ?? 0, keys.map(\.start).max()?.unixSeconds ?? 0)
        sql = """
            banner_id BETWEEN \(banners.0) AND \(banners.1) AND \(table.timestamp) BETWEEN \(starts.0) AND \(starts.1)
            AND log = '\(log.name)' AND (banner_id, kind, \(table.timestamp)) IN keys
            """
        tables = [table.keys(keys, named: "keys")]
    }

    private mutating func restrict(to banners: Set<BannerID>) {
        let sorted = banners.sorted()
        if banners.count <= Self.longestList {
            sql += " AND banner_id IN (\(sorted.map(\.description).joined(separator: ", ")))"
            return
        }
        var writer = RowBinaryWriter(capacity: sorted.count * 8)
        for banner in sorted { writer.write(banner.value) }
        tables.append(.init(name: "banners", structure: "banner_id Int64", rows: writer.buffer))
        sql += " AND banner_id BETWEEN \(sorted[0]) AND \(sorted[sorted.count - 1]) AND banner_id IN banners"
    }

    private mutating func restrict(to kinds: Set<Kind>) {
        let sorted = kinds.sorted()
        if kinds.count <= Self.longestList {
            sql += " AND kind IN (\(sorted.map { "'\($0)'" }.joined(separator: ", ")))"
            return
        }
        var writer = RowBinaryWriter()
        for kind in sorted { writer.write(kind.name) }
        tables.append(.init(name: "kinds", structure: "kind String", rows: writer.buffer))
        sql += " AND kind IN kinds"
    }
}
