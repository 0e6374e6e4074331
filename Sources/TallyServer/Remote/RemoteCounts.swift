// SPDX-License-Identifier: Apache-2.0

package import ServiceLifecycle
import Synchronization
package import TallyCore

/// What a process with a remote log counts (the role aggregate), and what it answers (the role query): from the store, its
/// own partitions, and the servers that count the others.
package final class RemoteCounts: CountReading {
    private let logs: [LogID]
    package let layout: Layout
    private let query: Query
    private let consumer: Consumer?
    private let polled: PolledLiveSource
    private let live: LiveHub
    private let start: StartReadiness
    private let began = ContinuousClock.now
    /// Where others count and this process only answers.
    private let firstAnswer: FirstCompleteAnswer?
    /// The highest that an answer had: watermarks never go back.
    private let known = Mutex(Minute.first)

    /// - Parameters:
    ///   - logs: all partitions.
    ///   - consumer: of the role aggregate.
    ///   - aggregators: those that count; nil to ask nobody.
    ///   - rowsLimit, idRanges: as `Query` says.
    ///   - identity: never used before.
    ///   - readyWithin: how long `readiness` waits at most for what the log held at the start.
    package init(
        logs: any PartitionedLog, consumer: Consumer?, aggregators: (any UnflushedSource)?, store: any CountStore,
        clock: any WallClock, late: Int64, rowsLimit: Int = .max, identity: NodeID, readyWithin: Duration,
        idRanges: @escaping @Sendable (Int) -> [ClosedRange<BannerID>] = { _ in [RowRange.allIDs] }
    ) {
        layout = store.layout
        self.logs = (0..<logs.partitioning.count).map { logs.log(of: $0).id }
        self.consumer = consumer
        let sources: [(any UnflushedSource)?] = [consumer, aggregators]
        query = Query(
            logs: self.logs, sources: sources.compactMap { $0 }, store: store, late: late, rowsLimit: rowsLimit,
            idRanges: idRanges)
        polled = PolledLiveSource(query: query, clock: clock, identity: identity)
        live = LiveHub(source: polled)
        start = StartReadiness(limit: readyWithin)
        firstAnswer = consumer == nil && aggregators != nil ? FirstCompleteAnswer(of: query, over: logs) : nil
    }

    package var services: [any Service] {
        (consumer.map { [$0] } ?? []) + (firstAnswer.map { [$0] } ?? []) + [polled, live]
    }

    // MARK: Reading

    package func minuteCounts(in range: RowRange) async throws(StoreError) -> Counted<[MinuteCount]> {
        noting(try await query.minuteCounts(in: range))
    }

    package func forEachTotals(
        in range: RowRange, _ body: ([Total]) -> Void
    ) async throws(StoreError) -> Freshness {
        let freshness = try await query.forEachTotals(in: range, body)
        return noting(Counted((), freshness)).freshness
    }

    package func visitors(
        of banners: Set<BannerID>, in days: ClosedRange<Day>
    ) async throws(StoreError) -> [VisitorCount] {
        try await query.visitors(of: banners, in: days)
    }

    private func noting<Value>(_ answer: Counted<Value>) -> Counted<Value> {
        known.withLock { $0 = max($0, answer.freshness.watermark) }
        return answer
    }

    package func views(in range: RowRange) -> [LogView] { consumer?.views(in: range) ?? [] }

    package func sequences(of node: NodeID) -> SequenceRanges { consumer?.sequences(of: node) ?? SequenceRanges() }

    package var watermark: Minute { known.withLock { $0 } }

    package var watching: LiveHub? { live }

    // MARK: Health

    package func complete(_ status: inout SystemStatus) {
        guard let consumer else { return }
        status.partitions = partitions
        status.logTime = status.partitions.compactMap(\.progress?.time).max() ?? status.logTime
        status.statistics = consumer.statistics
        status.store = consumer.storeHealth
    }

    /// Of the partitions that are counted here.
    package var partitions: [PartitionStatus] { consumer?.partitions ?? [] }
    package var statistics: Aggregation.Statistics { consumer?.statistics ?? Aggregation.Statistics() }
    /// nil where nobody writes to it.
    package var storeHealth: StoreKeeper.Health? { consumer?.storeHealth }

    /// A process that counts waits for its own partitions, and one that only answers for those that count: the start of two
    /// processes that ask each other must not depend on each other. Readiness does not wait for a partition
    /// that can't be counted, nor for one that falls behind later: the answers say what they lack.
    package var readiness: Readiness {
        let lacking = consumer?.uncountedSinceStart ?? firstAnswer?.lacking ?? []
        let problems = (consumer?.problems ?? []) + (consumer?.storeHealth.problems ?? [])
        return start.readiness(lacking: lacking, problems: problems, after: ContinuousClock.now - began)
    }

    package func report(to registry: MetricsRegistry) {
        registry.gauge("tally_live_streams", "Connections that watch the live stream.") { Double(self.live.count) }
        consumer?.report(to: registry, partitions: logs.count)
    }
}
