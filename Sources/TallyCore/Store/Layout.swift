// SPDX-License-Identifier: Apache-2.0

/// How many minutes share a row.
package enum Layout: String, CaseIterable, Sendable {
    /// `banner_id, kind, minute_timestamp, count`
    case minute
    /// `banner_id, kind, hour_timestamp, count_by_minute`
    case hour

    package var minutesPerRow: Int {
        switch self {
        case .minute: 1
        case .hour: 60
        }
    }

    /// The first minute of the row that holds `minute`.
    package func rowStart(of minute: Minute) -> Minute {
        minute.advanced(by: -Int64(Int(minute.sinceEpoch) % minutesPerRow))
    }
}
