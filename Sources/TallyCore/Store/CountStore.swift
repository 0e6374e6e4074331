// SPDX-License-Identifier: Apache-2.0

/// Keeps rows by the one rule: a row is the sum of the log up to an offset; the higher offset wins.
///
/// No call needs to be atomic across rows. Calls may overlap. Every implementation passes the suite in
/// `Tests/TallyTests/Contracts/CountStoreSuite.swift`.
package protocol CountStore: Sendable {
    /// Every row that goes in or comes out has this layout.
    var layout: Layout { get }

    /// Replaces each stored row of the same key and log whose `upTo` is lower; leaves the others. Durable on return. Rows that begin
    /// before the log's horizon are left out: what they say is in the store already, in a coarser row or not any more.
    ///
    /// - Parameter rows: each key at most once.
    /// - Returns: the rows that contradict a stored row: the same `upTo`, other counts. A conflict keeps no other row of the call
    ///   from being merged. The stored row stays; only in a store that cannot compare before it writes (ClickHouse), either of the
    ///   two may be found from then on. Rows before the horizon never conflict.
    /// - Throws: when some or all of the rows may be missing; doing it again is always right.
    @discardableResult
    func merge(_ rows: [Row], of log: LogID) async throws(StoreError) -> RowConflicts

    /// Makes the rows of this log coarser that begin before `horizon.collapsed`: the counts of a banner, kind and quarter of
    /// an hour become one, in the quarter's first minute, with the highest `upTo` of the rows that they come from. Deletes the rows
    /// that begin before `horizon.dropped`, and the sightings of the days before its day. The log keeps the latest horizon that it was given.
    ///
    /// - Parameter horizon: such that nobody merges a row that begins before it with more than the store has; see `Retention`.
    /// - Throws: when some or all of it may not be done; doing it again is always right. A reader sees an hour either way, and whole.
    func expire(before horizon: Horizon, of log: LogID) async throws(StoreError)

    /// The latest horizon that this log was given, also when `expire` has not come to its end; `.none` when it was given none.
    func horizon(of log: LogID) async throws(StoreError) -> Horizon

    /// - Returns: the rows of this log with these keys, in no particular order; a key without a row is left out.
    func rows(of log: LogID, at keys: [RowKey]) async throws(StoreError) -> [Row]

    /// - Parameter limit: of rows, at least 1; a store reads no more than one row beyond it.
    /// - Returns: the rows of all logs in the range, in no particular order. A row is in the range when any of its
    ///   minutes is; its other minutes come along.
    /// - Throws: `.tooManyRows` when there are more than `limit`.
    func rows(in range: RowRange, limit: Int) async throws(StoreError) -> [StoredRow]

    /// Sums over all logs and all minutes of the range, as if `unflushed` had been merged before; it is not.
    ///
    /// This exists beside `rows(in:)` since totals over years must not move every row.
    /// - Parameter unflushed: rows of any logs, each key of a log at most once.
    /// - Returns: each banner and kind that has a count, in no particular order.
    func totals(in range: RowRange, with unflushed: [StoredRow]) async throws(StoreError) -> [Total]

    /// Keeps the highest rank of each place. Durable on return. Sightings belong to no log: whoever counted them, and however often,
    /// the highest is the same. Those of days before the horizon of a log may be left out.
    ///
    /// - Parameter sightings: each place at most once.
    /// - Throws: when some or all of them may be missing; doing it again is always right.
    func merge(_ sightings: [Sighting]) async throws(StoreError)

    /// - Parameter banners: nil for all.
    /// - Returns: each place once, in no particular order.
    func sightings(of banners: Set<BannerID>?, in days: ClosedRange<Day>) async throws(StoreError) -> [Sighting]

    /// Whose rows or checkpoints it has, sorted: who else may have counted.
    func logs() async throws(StoreError) -> [LogID]

    /// The checkpoint saved last for this log.
    func checkpoint(of log: LogID) async throws(StoreError) -> Checkpoint?

    /// Replaces the checkpoint of this log unless the one there is of a higher offset. Durable on return.
    func save(_ checkpoint: Checkpoint, of log: LogID) async throws(StoreError)
}

extension CountStore {
    /// Without a limit: for ranges whose size is known.
    package func rows(in range: RowRange) async throws(StoreError) -> [StoredRow] {
        try await rows(in: range, limit: .max)
    }
}

/// A row and the log it sums up.
package struct StoredRow: Hashable, Sendable {
    package var log: LogID
    package var row: Row

    package init(log: LogID, row: Row) {
        self.log = log
        self.row = row
    }
}

/// Which rows: of which banners, kinds and minutes.
package struct RowRange: Hashable, Sendable {
    /// nil for all.
    package var banners: Set<BannerID>?
    /// Of these banners, only those with an id in here: a range of all banners is read in pieces.
    package var ids = RowRange.allIDs
    /// nil for all.
    package var kinds: Set<Kind>?
    /// The first and the last minute, both included.
    package var minutes: ClosedRange<Minute>

    package init(banners: Set<BannerID>? = nil, kinds: Set<Kind>? = nil, minutes: ClosedRange<Minute>) {
        self.banners = banners
        self.kinds = kinds
        self.minutes = minutes
    }

    package static let everything = RowRange(minutes: .first ... .last)
    package static let allIDs = BannerID.lowest...BannerID.highest

    /// Whether any minute of a row with this key is in the range.
    package func overlaps(_ key: RowKey, layout: Layout) -> Bool {
        let last = key.start.advanced(by: Int64(layout.minutesPerRow - 1))
        return key.start <= minutes.upperBound && last >= minutes.lowerBound && contains(key.banner, key.kind)
    }

    package func contains(_ banner: BannerID, _ kind: Kind) -> Bool {
        ids.contains(banner) && (banners?.contains(banner) ?? true) && (kinds?.contains(kind) ?? true)
    }
}

/// How often something happened to a banner, and between which minutes.
package struct Total: Hashable, Sendable {
    package var banner: BannerID
    package var kind: Kind
    /// At least 1.
    package var count: Int64
    /// The first and the last minute in which something was counted, within the range that was asked for.
    package var minutes: ClosedRange<Minute>

    package init(banner: BannerID, kind: Kind, count: Int64, minutes: ClosedRange<Minute>) {
        self.banner = banner
        self.kind = kind
        self.count = count
        self.minutes = minutes
    }
}

/// Why a store did not do it, by what the caller can do.
package enum StoreError: Error, Equatable, Sendable {
    /// Perhaps done; try again later. The text names the store and says why, without secrets.
    case unavailable(String)
    /// What is stored can't be read: a person has to look. The text says what and where.
    case damaged(String)
    /// More rows lie in the range than the caller allows; a smaller range has fewer.
    case tooManyRows(limit: Int)
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unavailable(let reason), .damaged(let reason): reason
        case .tooManyRows(let limit): "the range has more than \(limit) rows"
        }
    }
}
