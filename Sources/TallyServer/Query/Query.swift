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
    private let store: any CountStore
    private let late: Int64

    /// - Parameters:
    ///   - logs: every log that should be counted by somebody.
    ///   - sources: who counts.
    ///   - late: how many minutes an event may lie back.
    package init(logs: [LogID], sources: [any UnflushedSource], store: any CountStore, late: Int64) {
        self.logs = logs
        self.sources = sources
        self.store = store
        self.late = late
    }

    /// - Returns: the minutes in which something was counted, sorted by (banner, kind, minute).
    package func minuteCounts(in range: RowRange) async throws(StoreError) -> Counted<[MinuteCount]> {
        let found = await ask(range)
        do throws(StoreError) {
            let freshness = try await freshness(found)
            let stored = try await store.rows(in: range)
            let counts = MinuteCount.merge(
                stored: stored, unflushed: found.views.mapValues(\.rows), in: range, layout: store.layout)
            return Counted(counts, freshness)
        } catch {
            guard case .unavailable = error, let held = held(in: range) else { throw error }
            let counts = MinuteCount.merge(stored: held, unflushed: [:], in: range, layout: store.layout)
            return Counted(counts, found.freshness(of: logs, stored: [:], late: late))
        }
    }

    /// - Returns: sorted by (banner, kind).
    package func totals(in range: RowRange) async throws(StoreError) -> Counted<[Total]> {
        let found = await ask(range)
        do throws(StoreError) {
            let freshness = try await freshness(found)
            let totals = try await store.totals(in: range, with: try await merged(found.views))
            return Counted(Query.sorted(totals), freshness)
        } catch {
            guard case .unavailable = error, let held = held(in: range) else { throw error }
            var sums = TotalSums()
            for one in held where range.contains(one.row.key.banner, one.row.key.kind) {
                sums.add(one.row, within: range.minutes)
            }
            return Counted(Query.sorted(sums.totals), found.freshness(of: logs, stored: [:], late: late))
        }
    }

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

    private static func sorted(_ totals: [Total]) -> [Total] {
        totals.sorted { ($0.banner, $0.kind) < ($1.banner, $1.kind) }
    }

    // MARK: Asking

    /// What is known beyond the store.
    private struct Found: Sendable {
        var views: [LogID: LogView]
        var problems: [String]

        func freshness(of logs: [LogID], stored: [LogID: Checkpoint], late: Int64) -> Freshness {
            let missing = (["nobody who was asked counts it"] + problems).joined(separator: "; ")
            return Freshness(of: logs, views, stored: stored, late: late, missing: missing)
        }
    }

    private func ask(_ range: RowRange) async -> Found {
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
    private func freshness(_ found: Found) async throws(StoreError) -> Freshness {
        var stored: [LogID: Checkpoint] = [:]
        for log in Freshness.logsBehind(logs, found.views) { stored[log] = try await store.checkpoint(of: log) }
        return found.freshness(of: logs, stored: stored, late: late)
    }

    /// The rows as they would be stored.
    private func merged(_ views: [LogID: LogView]) async throws(StoreError) -> [StoredRow] {
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

    private func held(in range: RowRange) -> [StoredRow]? { sources.count == 1 ? sources[0].held(in: range) : nil }
}
