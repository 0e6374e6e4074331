// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore

/// The views of the layout `minute` since there are invalid events: `tally_minutes` has what was sent, as before, and
/// `tally_traffic` has beside it what is invalid and what is left.
enum SQLiteTrafficView {
    /// Every stored kind. The halves of the counts are added apart, since SQLite's SUM fails beyond 63 bits; a full counter
    /// stays full.
    private static let counts = """
        SELECT c.banner_id AS banner_id, k.name AS kind, c.minute_timestamp AS minute_timestamp,
            CASE WHEN SUM(c.count >> 32) + (SUM(c.count & 4294967295) >> 32) > 2147483647
                THEN 9223372036854775807
                ELSE (SUM(c.count >> 32) << 32) + SUM(c.count & 4294967295) END AS count
        FROM minute_counts c JOIN kinds k ON k.kind_id = c.kind
        """
    private static let groups = "GROUP BY c.banner_id, c.kind, c.minute_timestamp"

    /// Each kind of the inner rows is there once for a banner and minute, so that MAX picks it.
    private static func picked(_ reason: InvalidReason) -> String {
        "MAX(CASE WHEN kind LIKE '%.\(reason.rawValue)' THEN count ELSE 0 END) AS \(reason.rawValue)"
    }

    static func add(in database: Database, layout: Layout) throws {
        guard layout == .minute else { return }
        let reasons = InvalidReason.allCases.map(\.rawValue)
        try database.execute(
            sql: """
                DROP VIEW tally_minutes;
                CREATE VIEW tally_minutes (banner_id, kind, minute_timestamp, count) AS
                    \(counts)
                    WHERE instr(k.name, '.') = 0
                    \(groups);
                CREATE VIEW tally_traffic (banner_id, kind, minute_timestamp, gross, net, \(reasons.joined(separator: ", "))) AS
                    SELECT banner_id, kind, minute_timestamp, gross, MAX(0, gross - \(reasons.joined(separator: " - "))),
                        \(reasons.joined(separator: ", "))
                    FROM (
                        SELECT banner_id, substr(kind, 1, instr(kind || '.', '.') - 1) AS kind, minute_timestamp,
                            MAX(CASE WHEN instr(kind, '.') = 0 THEN count ELSE 0 END) AS gross,
                            \(InvalidReason.allCases.map(picked).joined(separator: ", "))
                        FROM (\(counts) \(groups))
                        GROUP BY 1, 2, 3
                    );
                """)
    }
}
