// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// How the columns of a table of counts are called: alike in every store, and by the user's words.
protocol CountColumns {
    var layout: Layout { get }
}

extension CountColumns {
    var timestamp: String {
        switch layout {
        case .minute: "minute_timestamp"
        case .hour: "hour_timestamp"
        }
    }

    var counts: String {
        switch layout {
        case .minute: "count"
        case .hour: "count_by_minute"
        }
    }

    /// In the order in which the rows of SQLite and ClickHouse are read.
    var columns: String { "banner_id, kind, \(timestamp), log, \(counts), up_to" }
}
