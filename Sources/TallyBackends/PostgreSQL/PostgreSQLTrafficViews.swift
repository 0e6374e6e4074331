// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import TallyCore

extension PostgreSQLSchema {
    /// Migration 2, since there are invalid events: `tally_minutes` has what was sent, as before, and `tally_traffic` has beside
    /// it what is invalid and what is left.
    var trafficViews: String {
        let reasons = InvalidReason.allCases.map(\.rawValue)
        let picked = reasons.map { "coalesce(max(count) FILTER (WHERE kind LIKE '%.\($0)'), 0) AS \($0)" }
        return """
            CREATE OR REPLACE VIEW tally_minutes AS
                \(counts(where: "strpos(kind, '.') = 0"));
            CREATE VIEW tally_traffic AS
                SELECT banner_id, kind, minute_timestamp, gross, greatest(0, gross - \(reasons.joined(separator: " - "))) AS net,
                    \(reasons.joined(separator: ", "))
                FROM (
                    SELECT banner_id, split_part(kind, '.', 1) AS kind, minute_timestamp,
                        coalesce(max(count) FILTER (WHERE strpos(kind, '.') = 0), 0) AS gross,
                        \(picked.joined(separator: ",\n            "))
                    FROM (\(counts(where: "true"))) AS counts
                    GROUP BY 1, 2, 3
                ) AS picked;

            """
    }

    /// Each kind that fulfils the condition once for a banner and minute.
    private func counts(where condition: String) -> String {
        switch layout {
        case .minute:
            """
            SELECT banner_id, kind, minute_timestamp, least(sum(count), 9223372036854775807)::bigint AS count
            FROM tally_minute_counts WHERE \(condition) GROUP BY banner_id, minute_timestamp, kind
            """
        case .hour:
            """
            SELECT banner_id, kind, hour_timestamp + key::integer * interval '1 minute' AS minute_timestamp,
                least(sum(value::bigint), 9223372036854775807)::bigint AS count
            FROM tally_hour_counts CROSS JOIN LATERAL jsonb_each_text(count_by_minute)
            WHERE \(condition) GROUP BY banner_id, hour_timestamp, key, kind
            """
        }
    }
}

#endif
