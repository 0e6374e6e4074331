// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Sums over many banners. They are read some banners at a time, so that the memory that they take does not depend on how many
/// there are, and so that a cancelled query ends soon.
extension Query {
    /// Of how many banners the store tells the sums at a time.
    private static let bannersOfTotals = 20_000
    /// Of how many banners all rows are read at a time.
    private static let bannersOfRows = 5_000

    /// - Returns: sorted by (banner, kind).
    package func totals(in range: RowRange) async throws(StoreError) -> Counted<[Total]> {
        var totals: [Total] = []
        let freshness = try await forEachTotals(in: range) { totals += $0 }
        return Counted(totals, freshness)
    }

    /// - Parameter body: gets the totals of some banners, sorted by (banner, kind), in the order of the banners.
    package func forEachTotals(
        in range: RowRange, _ body: ([Total]) -> Void
    ) async throws(StoreError) -> Freshness {
        let found = await ask(range)
        do throws(StoreError) {
            let freshness = try await freshness(found)
            let unflushed = try await merged(found.views).sorted { $0.row.key.banner < $1.row.key.banner }[...]
            try await readTotals(in: range, unflushed, body)
            return freshness
        } catch {
            guard case .unavailable = error, let held = held(in: range) else { throw error }
            var sums = TotalSums()
            for one in held where range.contains(one.row.key.banner, one.row.key.kind) {
                sums.add(one.row, within: range.minutes)
            }
            body(Query.sorted(sums.totals))
            return freshnessWithoutStore(found)
        }
    }

    private func readTotals(
        in range: RowRange, _ unflushed: ArraySlice<StoredRow>, _ body: ([Total]) -> Void
    ) async throws(StoreError) {
        var rest = unflushed
        for piece in pieces(of: range, banners: Query.bannersOfTotals) {
            if Task.isCancelled { throw .unavailable("the query was cancelled") }
            let ofPiece = rest.prefix { $0.row.key.banner <= piece.ids.upperBound }
            rest = rest[ofPiece.endIndex...]
            body(Query.sorted(try await store.totals(in: piece, with: Array(ofPiece))))
        }
    }

    /// The counts of all banners together.
    package func sums(in minutes: ClosedRange<Minute>) async throws(StoreError) -> [RecentSums.Key: Int64] {
        let range = RowRange(minutes: minutes)
        let found = await ask(range)
        return try await sums(in: range, with: found.views.mapValues(\.rows)) { _ in true } ?? [:]
    }

    /// - Parameters:
    ///   - unflushed: read before.
    ///   - isRight: whether stored rows go with `unflushed`.
    /// - Returns: nil when some don't.
    func sums(
        in range: RowRange, with unflushed: [LogID: [UnflushedRow]], where isRight: ([StoredRow]) -> Bool
    ) async throws(StoreError) -> [RecentSums.Key: Int64]? {
        var rest = unflushed.mapValues { rows in rows.sorted { $0.key.banner < $1.key.banner }[...] }
        var sums: [RecentSums.Key: Int64] = [:]
        for piece in pieces(of: range, banners: Query.bannersOfRows) {
            let stored = try await store.rows(in: piece)
            guard isRight(stored) else { return nil }
            let ofPiece = rest.mapValues { rows in rows.prefix { $0.key.banner <= piece.ids.upperBound } }
            for (log, rows) in ofPiece { rest[log] = rest[log]?[rows.endIndex...] }
            let counts = MinuteCount.merge(
                stored: stored, unflushed: ofPiece.mapValues(Array.init), in: piece, layout: store.layout)
            for count in counts {
                let key = RecentSums.Key(kind: count.kind, minute: count.minute)
                sums[key] = (sums[key] ?? 0).addingSaturated(count.count)
            }
        }
        return sums
    }

    /// Ascending by banner. A range of named banners is one piece: they are few.
    private func pieces(of range: RowRange, banners: Int) -> [RowRange] {
        if range.banners != nil { return [range] }
        return idRanges(banners).map { ids in
            var piece = range
            piece.ids = ids
            return piece
        }
    }

    private static func sorted(_ totals: [Total]) -> [Total] {
        totals.sorted { ($0.banner, $0.kind) < ($1.banner, $1.kind) }
    }
}
