// SPDX-License-Identifier: Apache-2.0

package import Logging
package import ServiceLifecycle
package import TallyCore

/// One whole Tally behind its HTTP face: ingest, aggregation, store keeping, queries and banners, wired together.
package final class CountingNode: RunningNode {
    package struct Configuration: Sendable {
        package var aggregator = Aggregator.Configuration()
        package var flushEvery: Duration = .seconds(60)
        /// Minutes that an event may lie back. A setting of the aggregator, since it is stored with the sums.
        package var acceptLate: Int64 {
            get { aggregator.lateMinutes }
            set { aggregator.lateMinutes = newValue }
        }
        /// Minutes that an event may lie ahead.
        package var acceptEarly: Int64 = 1
        /// How far ahead of the log, and of time since boot, the clock may be.
        package var maxClockAhead: Duration = .seconds(400 * 86_400)
        package var retention = Retention.forEver
        package var bannersLimit = 1_000_000
        /// Of the names, targets and tags of all banners, in bytes of UTF-8.
        package var bannerTextLimit = 256 << 20
        /// Of other nodes that may send chunks; gaps in their sequences count, too.
        package var nodesLimit = 100_000
        package var onlyRegisteredBanners = false
        package var kinds = KindRule.any
        /// How many rows may wait for their stored sums before chunks of other nodes have to wait, too.
        package var unresolvedRowsLimit = 200_000
        /// Of the minutes with a count that one answer is made of, and of the rows that it is read from.
        package var queryRowsLimit = 600_000

        package init() {}
    }

    private let node: NodeID
    private let log: LogID
    let clock: LogClock
    private let acceptLate: Int64
    private let banners: BannerRegistry
    private let admission: Admission
    private let aggregation: Aggregation
    private let ingest: Ingest
    private let query: Query
    package let keeper: StoreKeeper
    private let missing: MissingChunks
    private let refresh: BannerRefresh
    private let logger: Logger
    package let live: LiveHub
    package var watching: LiveHub? { live }

    /// Reads what the log holds beyond the store, and is then ready to count.
    ///
    /// - Parameters:
    ///   - node: whose chunks ingest writes; `lastSequence` of them stand in the log.
    ///   - checkpointCopy: lets the node start while the store is away; nil to refuse that.
    ///   - commitExecutor: as `Ingest` says.
    ///   - progress: of the replay: the offset that was read, and the last one.
    package init(
        log: any EventLog, node: NodeID, lastSequence: UInt64, store: any CountStore, bannerStore: any BannerStore,
        checkpointCopy: (any CheckpointCopy)? = nil, clock: any WallClock, logger: Logger,
        configuration: Configuration = Configuration(), commitExecutor: (any TaskExecutor)? = nil,
        progress: (LogOffset, LogOffset) -> Void = { _, _ in }
    ) async throws(StartError) {
        var configuration = configuration
        // A journal's offsets are consecutive, but where damage was repaired: that was confirmed then.
        configuration.aggregator.explainsSkippedOffsets = true
        let start = try await NodeStart.run(
            log: log, store: store, bannerStore: bannerStore, copy: checkpointCopy, configuration: configuration,
            logger: logger, progress: progress)
        let (aggregator, banners) = (start.aggregator, start.banners)

        self.node = node
        self.log = log.id
        let clock = LogClock(clock, logTime: aggregator.time, maximumAhead: configuration.maxClockAhead)
        self.clock = clock
        self.acceptLate = configuration.acceptLate
        self.banners = banners
        let window = EventWindow(
            late: configuration.acceptLate, early: configuration.acceptEarly, floor: configuration.retention.floor,
            logTime: aggregator.time)
        self.admission = Admission(
            window: window, kindRule: configuration.kinds, kinds: aggregator.knownKinds,
            nodes: NodeLimit(
                maximumRanges: configuration.nodesLimit,
                sequences: aggregator.checkpoint.sequences.filter { $0.key != node }),
            banners: banners, clock: clock)
        self.aggregation = Aggregation(
            aggregator: aggregator, banners: banners, unresolvedRowsLimit: configuration.unresolvedRowsLimit)
        let commits = GroupCommit<Ingest.Waiter>(
            node: node, lastSequence: lastSequence, after: aggregator, late: configuration.acceptLate,
            floor: configuration.retention.floor)
        self.ingest = Ingest(
            log: log, commits: commits, aggregation: aggregation, admission: admission,
            executor: commitExecutor)
        self.query = Query(
            logs: [log.id], sources: [OwnCounts(log: log.id, aggregation: aggregation)], store: store,
            late: configuration.acceptLate, rowsLimit: configuration.queryRowsLimit,
            idRanges: { banners.idRanges(of: $0) })
        self.keeper = StoreKeeper(
            log: log, store: store, banners: banners, aggregation: aggregation, checkpointCopy: checkpointCopy,
            absence: start.absence, retention: configuration.retention, interval: configuration.flushEvery,
            clock: clock, logger: logger)
        self.live = LiveHub(
            source: NodeLiveSource(
                log: log.id, store: store, aggregation: aggregation, query: query, clock: clock))
        // Only while other servers save banners in the same store.
        self.refresh = BannerRefresh(
            banners: banners, interval: configuration.flushEvery, logger: logger, isNeeded: { banners.isShared })
        self.missing = MissingChunks(logger: logger)
        missing.note(aggregator.missing, of: log.id, partition: 0)
        self.logger = logger
    }

    /// In the order of their start; they stop in reverse: ingest commits what it has accepted, then the last flush.
    package var services: [any Service] {
        [
            keeper, ingest, ProblemWatch(logger: logger, end: "the clock is right again") { self.clockProblem },
            ProblemWatch(logger: logger, end: "the log takes events again", remedy: ingest.probe) { self.logProblem },
            ProblemWatch(logger: logger, end: "no other log counts into the store") { self.otherLogs }, refresh, live,
        ]
    }

    package var statistics: Aggregation.Statistics { aggregation.statistics }

    /// Events that were refused since the log did not take them.
    var refusedEvents: Int { ingest.refusedEvents }

    /// The chunks of this journal that it lacks though it should have them.
    var missingChunks: [NodeID: SequenceRanges] { aggregation.missing }

    /// The time of the log so far.
    var logTime: Timestamp { aggregation.time }

    // MARK: Writing

    package func admit(_ input: EventInput, to admitted: inout AdmittedEvents) throws(EventRejection) {
        try admission.admit(input, to: &admitted)
    }

    package func record(_ admitted: AdmittedEvents) async throws(IngestError) -> [Receipt] {
        [try await ingest.record(admitted)]
    }

    package var laneIntake: LaneIntake? { LaneIntake(admission: admission, ingest: ingest, partitioning: nil) }

    package func admit(_ chunk: Chunk) throws(EventRejection) -> AdmittedChunk {
        // Its sequences would be taken for this node's own, and what comes later for chunks that were counted.
        if chunk.node == node { throw .ownNode(node) }
        return try admission.admit(chunk)
    }

    package func append(_ admitted: AdmittedChunk) async throws(IngestError) -> ChunkReceipt {
        try await ingest.append(admitted)
    }

    package func sequences(of node: NodeID) -> SequenceRanges { aggregation.sequences(of: node) }

    // MARK: Reading

    package func minuteCounts(in range: RowRange) async throws(StoreError) -> Counted<[MinuteCount]> {
        try await query.minuteCounts(in: range)
    }

    package func forEachTotals(
        in range: RowRange, _ body: ([Total]) -> Void
    ) async throws(StoreError) -> Freshness {
        try await query.forEachTotals(in: range, body)
    }

    package func visitors(
        of banners: Set<BannerID>, in days: ClosedRange<Day>
    ) async throws(StoreError) -> [VisitorCount] {
        try await query.visitors(of: banners, in: days)
    }

    package func views(in range: RowRange) -> [LogView] { [aggregation.view(in: range, of: log)] }

    package var layout: Layout { aggregation.layout }

    package var watermark: Minute { EventWindow.watermark(logTime: aggregation.time, late: acceptLate) }

    package var now: Timestamp { clock.now() }

    package var status: SystemStatus {
        let positions = aggregation.positions
        return SystemStatus(
            log: log.name, counted: positions.counted, stored: positions.stored, logTime: logTime,
            logFailure: logFailure,
            statistics: statistics, refused: refusedEvents, store: keeper.health, missing: missingChunks)
    }

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

    /// Why the log takes nothing any more; nil while it works.
    var logFailure: String? { ingest.failure }

    /// The same, and why it took nothing last, though it may again: its disk is full.
    var logProblem: String? { ingest.failure ?? ingest.refusal }

    /// Several single servers over one store know nothing of each other's event ids.
    private var otherLogs: String? {
        let others = keeper.health.otherLogs
        if others == 0 { return nil }
        return
            "the store has counts of \(others) other logs: an event id counts once for each of the servers that write them "
            + "(docs/operations.md)"
    }

    private var clockProblem: String? { clock.problem ?? clockBehind }

    /// The clock had jumped ahead before the log began, or it has jumped back: what happens now no longer belongs to its own
    /// minute. Final minutes stay final, so events are counted in the first minute that isn't, and an operator has to look.
    private var clockBehind: String? {
        let now = Minute(clock.now())
        guard now < watermark else { return nil }
        return "the clock says \(now.text()), but the log is at \(Minute(logTime).text()), further ahead than "
            + "--accept-late: what happens now is counted in \(watermark.text()). Set the clock right; if it is right, "
            + "begin a new journal (docs/architecture.md, Time)"
    }

    /// What keeps events from being accepted.
    private var refusals: [String] { [logProblem, clockProblem].compactMap { $0 } }

    package var readiness: Readiness { readiness(of: .ingest) }

    /// The journal was counted before the process began to listen, so that answers are complete from the first on.
    package func readiness(of role: ServerRole) -> Readiness {
        if role == .ingest, !refusals.isEmpty { return .notReady(reasons: refusals) }
        let missing = MissingChunks.problem(missingChunks, partition: 0)
        let problems = refusals + keeper.health.problems + [missing, otherLogs].compactMap { $0 }
        return problems.isEmpty ? .ready : .counting(butNot: problems.joined(separator: "; "))
    }
}
