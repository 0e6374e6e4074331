// SPDX-License-Identifier: Apache-2.0

package import Logging
package import ServiceLifecycle
package import TallyCore

/// A Tally whose log is on servers of its own, behind its HTTP face. Which parts it has depends on its roles; a request for
/// a part that it does not have is refused before it comes here.
package final class RemoteNode: RunningNode {
    package let roles: Set<ServerRole>
    /// What the log is called.
    private let log: String
    private let clock: LogClock
    private let banners: BannerRegistry
    private let ingest: RemoteIngest?
    private let reading: (any CountReading)?
    private let refresh: BannerRefresh
    private let clockWatch: ProblemWatch

    /// - Parameters:
    ///   - log: what it is called.
    ///   - refreshEvery: how often the store is asked which banners other servers have registered.
    ///   - ingest: of the role ingest.
    ///   - reading: of the roles aggregate and query.
    package init(
        log: String, clock: LogClock, banners: BannerRegistry, refreshEvery: Duration, logger: Logger,
        ingest: RemoteIngest?, reading: (any CountReading)?,
        roles: Set<ServerRole>
    ) {
        precondition(roles.contains(.ingest) == (ingest != nil), "who has the role ingest lets events in")
        self.log = log
        self.clock = clock
        self.banners = banners
        self.ingest = ingest
        self.reading = reading
        banners.share()
        refresh = BannerRefresh(banners: banners, interval: refreshEvery, logger: logger)
        clockWatch = ProblemWatch(logger: logger, end: "the clock is right again") { clock.problem }
        self.roles = roles
    }

    /// In the order of their start. They stop in reverse: ingest delivers what it has accepted, then the last flush.
    package var services: [any Service] {
        [refresh, clockWatch] + (reading?.services ?? []) + (ingest.map { [$0] } ?? [])
    }

    private static func missing(_ role: ServerRole) -> String { "this server does not have the role \(role.rawValue)" }

    // MARK: Writing

    /// What waits for a commit to begin; alike events are one.
    var pendingEntries: Int { ingest?.pendingEntries ?? 0 }

    package var laneIntake: LaneIntake? { ingest?.laneIntake }

    package func admit(_ input: EventInput, to admitted: inout AdmittedEvents) throws(EventRejection) {
        try ingest?.admission.admit(input, to: &admitted)
    }

    package func record(_ admitted: AdmittedEvents) async throws(IngestError) -> [Receipt] {
        guard let ingest else { throw .unavailable(RemoteNode.missing(.ingest)) }
        return try await ingest.record(admitted)
    }

    package func admit(_ chunk: Chunk) throws(EventRejection) -> AdmittedChunk {
        guard let ingest else { return AdmittedChunk(chunk: chunk, newcomers: Newcomers()) }
        // Its sequences would be taken for this process's own, and what comes later for chunks that were counted.
        if ingest.isOwn(chunk.node) { throw .ownNode(chunk.node) }
        return try ingest.admission.admit(chunk)
    }

    package func append(_ admitted: AdmittedChunk) async throws(IngestError) -> ChunkReceipt {
        guard let ingest else { throw .unavailable(RemoteNode.missing(.ingest)) }
        return try await ingest.append(admitted)
    }

    // MARK: Reading

    package func sequences(of node: NodeID) -> SequenceRanges { reading?.sequences(of: node) ?? SequenceRanges() }

    package func minuteCounts(in range: RowRange) async throws(StoreError) -> Counted<[MinuteCount]> {
        guard let reading else { throw .unavailable(RemoteNode.missing(.query)) }
        return try await reading.minuteCounts(in: range)
    }

    package func forEachTotals(
        in range: RowRange, _ body: ([Total]) -> Void
    ) async throws(StoreError) -> Freshness {
        guard let reading else { throw .unavailable(RemoteNode.missing(.query)) }
        return try await reading.forEachTotals(in: range, body)
    }

    package func visitors(
        of banners: Set<BannerID>, in days: ClosedRange<Day>
    ) async throws(StoreError) -> [VisitorCount] {
        guard let reading else { throw .unavailable(RemoteNode.missing(.query)) }
        return try await reading.visitors(of: banners, in: days)
    }

    package func views(in range: RowRange) -> [LogView] { reading?.views(in: range) ?? [] }

    package var layout: Layout { reading?.layout ?? .minute }

    package var watermark: Minute { reading?.watermark ?? .first }

    package var now: Timestamp { clock.now() }

    package var watching: LiveHub? { reading?.watching }

    // MARK: Banners

    package func banner(_ id: BannerID) -> Banner? { banners.banner(id) }

    package func banners(after: BannerID?, limit: Int) -> [Banner] { banners.banners(after: after, limit: limit) }

    package var bannerCount: Int { banners.count }

    package func register(_ banner: Banner) async throws(RegistrationError) -> Banner {
        try await banners.register(banner)
    }

    package func register(names: [String]) async throws(RegistrationError) -> [Banner] {
        try await banners.register(names: names)
    }

    package func unregister(_ id: BannerID) async throws(RegistrationError) -> Bool { try await banners.unregister(id) }

    // MARK: Health

    package var status: SystemStatus {
        var status = SystemStatus(
            log: log, counted: nil, stored: nil, logTime: now, logFailure: ingest?.status.problem,
            statistics: Aggregation.Statistics(), refused: ingest?.refusedEvents ?? 0, store: nil,
            delivery: ingest?.status)
        reading?.complete(&status)
        return status
    }

    package func readiness(of role: ServerRole) -> Readiness {
        switch role {
        case .ingest: ingest?.readiness ?? .ready
        case .aggregate, .query: reading?.readiness ?? .ready
        }
    }

    /// Ready for all that it does: events are accepted, and answers hold what the log held at the start.
    package var readiness: Readiness {
        let parts = [ingest?.readiness, reading?.readiness].compactMap { $0 }
        let reasons = parts.flatMap { part in if case .notReady(let reasons) = part { reasons } else { [String]() } }
        if !reasons.isEmpty { return .notReady(reasons: reasons) }
        let problems = parts.compactMap { part in if case .counting(let problem) = part { problem } else { nil } }
        return problems.isEmpty ? .ready : .counting(butNot: problems.joined(separator: "; and "))
    }

    package func report(to registry: MetricsRegistry) {
        registry.gauge("tally_banners", "Banners that are known.") { Double(self.bannerCount) }
        registry.report(clock)
        ingest?.report(to: registry)
        reading?.report(to: registry)
    }
}
