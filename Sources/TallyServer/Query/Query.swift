// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Answers from what is stored and what is not flushed yet, each log merged by the one rule, and summed: a count that was
/// acknowledged is in the very next answer of the server that counts it.
///
/// The unflushed rows are taken first, always: what is flushed in between is in both, and the higher offset wins.
///
/// While the store is away, the latest minutes are answered from memory alone, where all of them are.
package struct Query: Sendable {
    /// All partitions, in their order.
    private let logs: [LogID]
    private let sources: [any UnflushedSource]
    let store: any CountStore
    private let late: Int64
    private let rowsLimit: Int
    /// All possible ids of banners, in ranges of so many known ones.
    let idRanges: @Sendable (Int) -> [ClosedRange<BannerID>]

    /// - Parameters:
    ///   - logs: every log that should be counted by somebody.
    ///   - sources: who counts.
    ///   - late: how many minutes an event may lie back.
    ///   - rowsLimit: of the minutes with a count that one answer is made of, and of the rows that it is read from.
    ///   - idRanges: divides all possible ids of banners into ranges, each with at most the given number of known ones.
    package init(
        logs: [LogID], sources: [any UnflushedSource], store: any CountStore, late: Int64, rowsLimit: Int = .max,
        idRanges: @escaping @Sendable (Int) -> [ClosedRange<BannerID>] = { _ in [RowRange.allIDs] }
    ) {
        self.logs = logs
        self.sources = sources
        self.store = store
        self.late = late
        self.rowsLimit = rowsLimit
        self.idRanges = idRanges
    }

    /// - Returns: the minutes in which something was counted, sorted by (banner, kind, minute).
    /// - Throws: `.tooManyRows` when they are more than the limit, or are read from more rows.
    package func minuteCounts(in range: RowRange) async throws(StoreError) -> Counted<[MinuteCount]> {
        let found = await ask(range)
        let counted: Counted<[MinuteCount]>
        do throws(StoreError) {
            let freshness = try await freshness(found)
            let stored = try await store.rows(in: range, limit: storedRowsLimit)
            let counts = MinuteCount.merge(
                stored: stored, unflushed: found.views.mapValues(\.rows), in: range, layout: store.layout)
            counted = Counted(counts, freshness)
        } catch {
            guard case .unavailable = error, let held = held(in: range) else { throw error }
            let counts = MinuteCount.merge(stored: held, unflushed: [:], in: range, layout: store.layout)
            counted = Counted(counts, freshnessWithoutStore(found))
        }
        guard counted.value.count <= rowsLimit else { throw .tooManyRows(limit: rowsLimit) }
        return counted
    }

    /// A row of an hour takes the memory of about ten rows of a minute.
    private var storedRowsLimit: Int { store.layout == .hour ? max(1, rowsLimit / 10) : rowsLimit }

    /// The unique visitors of each banner and day that had any, sorted by (banner, day). Those that another process has not
    /// flushed yet are missing.
    package func visitors(
        of banners: Set<BannerID>, in days: ClosedRange<Day>
    ) async throws(StoreError) -> [VisitorCount] {
        let unflushed = sources.flatMap { $0.sightings(of: banners, in: days) }
        return VisitorCount.all(unflushed + (try await store.sightings(of: banners, in: days)))
    }

    /// The partitions of which an answer would lack the latest counts now. Asks the servers that count, and not the store.
    /// - Parameter ends: a log that is counted up to its offset here is not behind.
    package func behind(upTo ends: [LogID: LogOffset] = [:]) async -> [Freshness.Behind] {
        var found = await ask(RowRange(banners: [], minutes: .first ... .first))
        for (log, end) in ends {
            if let position = found.views[log]?.position, position >= end { found.views[log]?.behind = nil }
        }
        return found.freshness(of: logs, stored: [:], late: late).behind
    }

    // MARK: Asking

    /// What is known beyond the store.
    struct Found: Sendable {
        var views: [LogID: LogView]
        var problems: [String]

        fileprivate func freshness(of logs: [LogID], stored: [LogID: Checkpoint], late: Int64) -> Freshness {
            let missing = (["nobody who was asked counts it"] + problems).joined(separator: "; ")
            return Freshness(of: logs, views, stored: stored, late: late, missing: missing)
        }
    }

    func ask(_ range: RowRange) async -> Found {
        if sources.count == 1 { return Query.found([await sources[0].unflushed(in: range)]) }
        let answers = await withTaskGroup(of: UnflushedAnswer.self) { group in
            for source in sources { group.addTask { await source.unflushed(in: range) } }
            var answers: [UnflushedAnswer] = []
            for await answer in group { answers.append(answer) }
            return answers
        }
        return Query.found(answers)
    }

    private static func found(_ answers: [UnflushedAnswer]) -> Found {
        Found(views: LogView.furthest(answers.flatMap(\.views)), problems: answers.flatMap(\.problems).sorted())
    }

    /// Before the rows are read: what is final now was final then.
    func freshness(_ found: Found) async throws(StoreError) -> Freshness {
        var stored: [LogID: Checkpoint] = [:]
        for log in Freshness.logsBehind(logs, found.views) { stored[log] = try await store.checkpoint(of: log) }
        return found.freshness(of: logs, stored: stored, late: late)
    }

    /// While the store is away.
    func freshnessWithoutStore(_ found: Found) -> Freshness { found.freshness(of: logs, stored: [:], late: late) }

    /// The rows as they would be stored.
    func merged(_ views: [LogID: LogView]) async throws(StoreError) -> [StoredRow] {
        var rows: [StoredRow] = []
        for (log, view) in views {
            let unresolved = view.rows.filter { if case .additions = $0.content { true } else { false } }
            let stored = unresolved.isEmpty ? [] : try await store.rows(of: log, at: unresolved.map(\.key))
            let storedByKey = Dictionary(stored.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
            for row in view.rows {
                let whole = row.merged(with: storedByKey[row.key], layout: store.layout)
                rows.append(StoredRow(log: log, row: whole))
            }
        }
        return rows
    }

    func held(in range: RowRange) -> [StoredRow]? { sources.count == 1 ? sources[0].held(in: range) : nil }
}
