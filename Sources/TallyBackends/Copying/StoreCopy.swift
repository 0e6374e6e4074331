// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Copies all that a store has into another, of any kind and layout.
///
/// Rows go first, and then sightings of visitors, a day at a time: piece by piece, and each is read again after it was
/// written. What is there already is not written again, so a copy that was cut off goes on when it is run once more. The
/// checkpoints are read first and written last: whoever goes on counting from the copy finds every row that they cover.
/// The horizons are set shortly before, since behind its horizon a store takes no rows; where one store has kept minutes
/// for less time, both are compared by hours there. From `minute` to `minute` and from `hour` on, the source may be in use;
/// what it counts meanwhile is not missed, since the log still has it.
package struct StoreCopy: Sendable {
    package struct Report: Equatable, Sendable {
        package var banners = 0
        package var logs = 0
        /// Rows of the source, in its own layout.
        package var rows = 0
        /// Rows that the destination did not have yet, in its layout.
        package var written = 0
        /// The sums of all counts, not cut to what a counter holds.
        package var sourceSum: Int128 = 0
        package var destinationSum: Int128 = 0
        /// Where the destination has something else.
        package var differences = Differences()
        /// Of visitors, in the source.
        package var sightings = 0
        /// Those that the destination did not have yet, or with a lower rank.
        package var writtenSightings = 0
        /// Where the destination has less.
        package var sightingDifferences = SightingDifferences()

        package init() {}
    }

    private let source: any Store
    private let destination: any Store
    /// For messages.
    private let name: String
    private let minutesPerPiece: Int64

    /// - Parameters:
    ///   - name: of the source, without secrets.
    ///   - minutesPerPiece: about how many minutes with a count are held in memory at once.
    package init(
        from source: any Store, to destination: any Store, named name: String, minutesPerPiece: Int64 = 200_000
    ) {
        self.source = source
        self.destination = destination
        self.name = name
        self.minutesPerPiece = minutesPerPiece
    }

    /// - Parameter progress: called after each piece with the pieces done and all of them; what it throws ends the work.
    /// - Throws: a `StoreError`, or what `progress` has thrown.
    package func run(progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }) async throws -> Report {
        var report = Report()
        let logs = try await logsOfSource()
        report.logs = logs.count
        report.banners = try await copyBanners()
        let totals = try await source.totals(in: .everything, with: [])
        let pieces = StorePieces.ranges(of: totals, limit: minutesPerPiece)
        let days = try await daysOfSightings()
        let total = pieces.count + days.count
        for (index, piece) in pieces.enumerated() {
            try await copy(piece, logs, into: &report)
            try progress(index + 1, total)
        }
        for (index, day) in days.enumerated() {
            try await copySightings(of: day, into: &report)
            try progress(pieces.count + index + 1, total)
        }
        guard report.differences.count == 0, report.sightingDifferences.days.isEmpty else { return report }
        for (log, found) in logs {
            if found.horizon != .none { try await destination.expire(before: found.horizon, of: log) }
            if let checkpoint = found.checkpoint { try await destination.save(checkpoint, of: log) }
        }
        return report
    }

    /// What is copied of a log beside its rows.
    private struct Log {
        let checkpoint: Checkpoint?
        let horizon: Horizon
    }

    /// With the later horizon of both stores.
    private func logsOfSource() async throws(StoreError) -> [LogID: Log] {
        var logs: [LogID: Log] = [:]
        for log in try await source.logs() {
            let horizon = try await source.horizon(of: log).merged(with: destination.horizon(of: log))
            logs[log] = Log(checkpoint: try await source.checkpoint(of: log), horizon: horizon)
        }
        return logs
    }

    private func copyBanners() async throws(StoreError) -> Int {
        let banners = try await source.banners()
        let known = Set(try await destination.banners())
        try await destination.save(banners.filter { !known.contains($0) }.sorted { $0.id < $1.id })
        return banners.count
    }

    private func copy(
        _ piece: RowRange, _ logs: [LogID: Log], into report: inout Report
    ) async throws(StoreError) {
        let horizons = logs.mapValues(\.horizon)
        let rows = horizons.applied(to: try await source.rows(in: piece))
        if source.layout == .minute, destination.layout == .hour { try refuseUnfinishedFlush(rows, logs) }
        let wanted = Regrouping.regroup(rows, to: destination.layout).filter { $0.row.counts.total > 0 }
        let stored = horizons.applied(to: try await destination.rows(in: piece))
        let missing = StoreCopy.missing(wanted, in: stored, behind: horizons)
        for (log, rows) in Dictionary(grouping: missing, by: \.log) {
            try await destination.merge(rows.map(\.row).sorted { $0.key < $1.key }, of: log)
        }
        let copied = horizons.applied(to: try await destination.rows(in: piece).filter { logs[$0.log] != nil })
        report.rows += rows.count
        report.written += missing.count
        report.sourceSum += StoreCopy.sum(rows)
        report.destinationSum += StoreCopy.sum(copied)
        report.differences.compare(
            MinuteSums(horizons.applied(to: rows, minutesPerTotal: 60)),
            MinuteSums(horizons.applied(to: copied, minutesPerTotal: 60)))
    }

    /// Without those that the destination drops.
    private func daysOfSightings() async throws(StoreError) -> [Day] {
        let first = max(try await source.firstDayOfSightings(), try await destination.firstDayOfSightings())
        return try await source.daysWithSightings().filter { $0 >= first }
    }

    private func copySightings(of day: Day, into report: inout Report) async throws(StoreError) {
        let wanted = try await SightingRanks(of: day, in: source)
        let missing = wanted.higher(than: try await SightingRanks(of: day, in: destination))
        try await destination.merge(missing)
        let copied = try await SightingRanks(of: day, in: destination)
        report.sightings += wanted.count
        report.writtenSightings += missing.count
        report.sightingDifferences.add(wanted.higher(than: copied).count, on: day)
    }

    /// An hour may have the highest `upTo` of its minutes only if no row is beyond the checkpoint of its log.
    private func refuseUnfinishedFlush(
        _ rows: [StoredRow], _ logs: [LogID: Log]
    ) throws(StoreError) {
        let beyond = rows.first { $0.row.upTo > logs[$0.log]?.checkpoint?.upTo ?? .none }
        guard let beyond else { return }
        throw .unavailable(
            "the store at \(name) holds rows beyond the checkpoint of the log \(beyond.log): a server uses it, or its last "
                + "flush was cut off. Start tally once with the layout \(source.layout.rawValue), stop it, and copy then"
        )
    }

    /// What is not there as it should be, and may be written: a newer row stays, and is found to be a difference. Of an hour of
    /// totals nothing is written when the destination has something else there: it may have the total of the whole hour, and
    /// that of a quarter beside it would be twice.
    private static func missing(
        _ wanted: [StoredRow], in stored: [StoredRow], behind horizons: [LogID: Horizon]
    ) -> [StoredRow] {
        let known = Dictionary(
            stored.map { (Place($0), $0.row) }, uniquingKeysWith: { first, _ in first })
        let wantedCounts = Dictionary(
            wanted.map { (Place($0), $0.row.counts) }, uniquingKeysWith: { first, _ in first })
        let others = Set(
            stored.filter { $0.row.counts.total > 0 && wantedCounts[Place($0)] != $0.row.counts }.map(
                Place.init(hourOf:)))
        return wanted.filter { wanted in
            let found = known[Place(wanted)]
            let isTotal = wanted.row.key.start < horizons[wanted.log]?.collapsed ?? .first
            return isTotal ? found == nil && !others.contains(Place(hourOf: wanted)) : wanted.row.replaces(found)
        }
    }

    private struct Place: Hashable {
        let log: LogID
        let key: RowKey

        init(_ stored: StoredRow) {
            log = stored.log
            key = stored.row.key
        }

        init(hourOf stored: StoredRow) {
            var key = stored.row.key
            key.start = Layout.hour.rowStart(of: key.start)
            log = stored.log
            self.key = key
        }
    }

    private static func sum(_ rows: [StoredRow]) -> Int128 {
        rows.reduce(0) { sum, stored in stored.row.minuteCounts.reduce(sum) { $0 + Int128($1.count) } }
    }
}
