// SPDX-License-Identifier: Apache-2.0

/// How long counts are kept: by the minute, then as totals of quarters of an hour, then not at all.
///
/// What a log may still change must not be touched: a row that was collapsed or dropped and then begun again, from zero, would
/// count twice or not at all. So nothing is admitted to a log, not by a backfill or an import either, that lies further before the
/// log's time than `floor`; and a horizon follows the log's time at the checkpoint. Every chunk behind the checkpoint has that
/// time or a later one, and so no minute before the horizon; and what the chunks before it say is in the store.
package struct Retention: Equatable, Sendable {
    /// In minutes; nil for ever.
    package var minutes: Int64?
    /// In minutes; nil for ever.
    package var hours: Int64?

    package static let forEver = Retention(minutes: nil, hours: nil)

    package init(minutes: Int64?, hours: Int64?) {
        precondition(
            (minutes ?? 0) >= 0 && (hours ?? .max) >= (minutes ?? 0), "hours are kept for as long as minutes, or longer"
        )
        self.minutes = minutes
        self.hours = hours
    }

    /// How many minutes an event may lie before the log's time, whoever brings it; nil for any number.
    package var floor: Int64? { minutes ?? hours }

    /// - Parameter checkpoint: nothing behind it belongs to a time before its `timeBefore`.
    /// - Returns: nil when all is kept.
    package func horizon(at checkpoint: Checkpoint) -> Horizon? {
        guard let floor else { return nil }
        let time = Minute(checkpoint.timeBefore)
        return Horizon(
            collapsed: time.advanced(by: -floor), dropped: hours.map { time.advanced(by: -$0) } ?? .first)
    }
}

/// Where the counts of a log become coarser. Both ends are whole hours.
package struct Horizon: Equatable, Sendable {
    /// Totals are those of a quarter of an hour: every zone that is in use is a multiple of it from UTC, so that a total belongs to
    /// one hour and one day of each. What an earlier Tally collapsed are totals of hours; nothing tells them from totals of
    /// a first quarter, so whatever compares such counts compares hours.
    package static let minutesPerTotal = 15

    /// Before it there are totals: each stands in its first minute.
    package let collapsed: Minute
    /// Before it there is nothing; not later than `collapsed`.
    package let dropped: Minute

    package static let none = Horizon(collapsed: .first, dropped: .first)

    /// Rounds down to whole hours.
    package init(collapsed: Minute, dropped: Minute) {
        self.collapsed = Layout.hour.rowStart(of: collapsed)
        self.dropped = min(Layout.hour.rowStart(of: dropped), self.collapsed)
    }

    /// The later one of each: what is gone doesn't come back.
    package func merged(with other: Horizon) -> Horizon {
        Horizon(collapsed: max(collapsed, other.collapsed), dropped: max(dropped, other.dropped))
    }

    /// The minute whose count is compared for this minute: before the horizon the first of its hour. nil when it is not kept any more.
    package func comparedPlace(of minute: Minute) -> Minute? {
        if minute < dropped { return nil }
        return minute < collapsed ? Layout.hour.rowStart(of: minute) : minute
    }

    /// Rows of one log as they are behind it, whether or not a store has come so far yet.
    /// - Parameter minutesPerTotal: 15, or 60 to compare with a store whose totals may be those of hours.
    package func applied(to rows: [Row], minutesPerTotal: Int = Horizon.minutesPerTotal) -> [Row] {
        if self == .none { return rows }
        let totals = Row.collapsed(rows.filter { $0.key.start < collapsed }, minutesPerTotal: minutesPerTotal)
        return rows.filter { $0.key.start >= collapsed } + totals.filter { $0.key.start >= dropped }
    }
}

extension [LogID: Horizon] {
    /// Rows of any logs, each behind the horizon of its log.
    package func applied(to rows: [StoredRow], minutesPerTotal: Int = Horizon.minutesPerTotal) -> [StoredRow] {
        if values.allSatisfy({ $0 == .none }) { return rows }
        return [LogID: [StoredRow]](grouping: rows, by: \.log).flatMap { log, rows in
            (self[log] ?? .none).applied(to: rows.map(\.row), minutesPerTotal: minutesPerTotal)
                .map { StoredRow(log: log, row: $0) }
        }
    }
}

extension Row {
    /// Rows of one log, as they are behind its horizon: a total stands in the first of its minutes.
    /// - Parameter minutesPerTotal: a divisor of 60.
    package static func collapsed(
        _ rows: some Sequence<Row>, minutesPerTotal: Int = Horizon.minutesPerTotal
    ) -> [Row] {
        var totals: [RowKey: Row] = [:]
        for row in rows {
            let layout = row.counts.layout
            var key = row.key
            if layout == .minute {
                key.start = key.start.advanced(by: -Int64(Int(key.start.sinceEpoch) % minutesPerTotal))
            }
            var total = totals.removeValue(forKey: key) ?? Row(key: key, counts: .zero(layout), upTo: .none)
            for minute in 0..<layout.minutesPerRow {
                let first = minute / minutesPerTotal * minutesPerTotal
                total.counts[first] = total.counts[first].addingSaturated(row.counts[minute])
            }
            total.upTo = max(total.upTo, row.upTo)
            totals[key] = total
        }
        return Array(totals.values)
    }
}
