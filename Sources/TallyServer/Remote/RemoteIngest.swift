// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle
import Synchronization
package import TallyCore

/// Takes events in for a remote log: a commit for each partition at a time, and everything that arrives while it is on its
/// way goes into the next one. Nobody is answered before what they sent is durable in the log or in the spool.
package final class RemoteIngest: Service, LaneIngest {
    /// Who waits for a commit.
    enum Waiter: Sendable {
        case request(CheckedContinuation<Result<[Receipt], IngestError>, Never>)
        /// One turn of an event loop.
        case turn(LaneAddress, number: Int)
    }

    let admission: Admission
    private let process: NodeID
    private let delivery: LogDelivery
    private let commits: Mutex<PartitionedCommit<Waiter>>
    /// By partition.
    private let arrivals: [Signal]
    private let refused = Counter()

    /// - Parameters:
    ///   - process: never used before; the nodes of its chunks are made of it.
    ///   - kinds: those that are known already.
    package init(
        process: NodeID, delivery: LogDelivery, banners: BannerRegistry, clock: LogClock,
        configuration: CountingNode.Configuration
    ) {
        self.process = process
        self.delivery = delivery
        let floor = configuration.retention.floor
        // The process reads no log, so that it knows of no other time than that of its clock.
        let window = EventWindow(
            late: configuration.acceptLate, early: configuration.acceptEarly, floor: floor, logTime: .epoch)
        admission = Admission(
            window: window, kindRule: configuration.kinds, kinds: [],
            nodes: NodeLimit(maximumRanges: configuration.nodesLimit), banners: banners, clock: clock)
        commits = Mutex(
            PartitionedCommit(
                process: process, partitioning: delivery.partitioning, late: configuration.acceptLate, floor: floor))
        arrivals = (0..<delivery.partitioning.count).map { _ in Signal() }
    }

    /// Events, and entries of chunks, that were refused since the process started.
    var refusedEvents: Int { Int(refused.value) }

    /// What waits for a commit to begin.
    var pendingEntries: Int { commits.withLock { $0.pendingEntries } }

    func isOwn(_ node: NodeID) -> Bool { NodeID(process: node, partition: 0) == NodeID(process: process, partition: 0) }

    /// Makes the events of one request durable. When they are in several partitions and one of those fails, the others count.
    package func record(_ admitted: AdmittedEvents) async throws(IngestError) -> [Receipt] {
        do throws(IngestError) {
            return try await commit(admitted.newcomers) { commits, waiter in
                commits.add(admitted.events, backfill: admitted.backfill, waiter: waiter)
            }
        } catch {
            refused.add(UInt64(admitted.count))
            throw error
        }
    }

    /// Makes a chunk that another node made durable. Whether it was counted before is known where it is counted.
    package func append(_ admitted: AdmittedChunk) async throws(IngestError) -> ChunkReceipt {
        if admitted.chunk.entryCount == 0 { return ChunkReceipt(receipts: [], duplicate: false) }
        do throws(IngestError) {
            let receipts = try await commit(admitted.newcomers) { commits, waiter in
                commits.add(admitted.chunk, waiter: waiter)
            }
            return ChunkReceipt(receipts: receipts, duplicate: false)
        } catch {
            refused.add(UInt64(admitted.chunk.entryCount))
            throw error
        }
    }

    func take(_ sums: LaneSums, _ newcomers: Newcomers, from lane: LaneAddress, turn: Int) -> IngestError? {
        add(newcomers) { commits in commits.add(sums, waiter: .turn(lane, number: turn)) }
    }

    func noteRefused(_ events: Int) { refused.add(UInt64(events)) }

    var laneIntake: LaneIntake {
        LaneIntake(admission: admission, ingest: self, partitioning: delivery.partitioning)
    }

    private func commit(
        _ newcomers: Newcomers,
        _ add: (inout PartitionedCommit<Waiter>, Waiter) -> PartitionedCommit<Waiter>.Admission
    ) async throws(IngestError) -> [Receipt] {
        let result: Result<[Receipt], IngestError> = await withCheckedContinuation { waiter in
            let refusal = self.add(newcomers) { commits in add(&commits, .request(waiter)) }
            if let refusal { waiter.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    private func add(
        _ newcomers: Newcomers, _ add: (inout PartitionedCommit<Waiter>) -> PartitionedCommit<Waiter>.Admission
    ) -> IngestError? {
        let (begin, refusal) = commits.withLock { commits -> ([Int], IngestError?) in
            guard admission.hasRoom(for: newcomers) else { return ([], .limitReached) }
            switch add(&commits) {
            case .accepted(let begin):
                admission.note(newcomers)
                return (begin, nil)
            case .refused(let refusal): return ([], IngestError(refusal))
            }
        }
        for partition in begin { arrivals[partition].send() }
        return refusal
    }

    // MARK: Running

    /// Commits until the process stops; then accepts nothing more, commits what was accepted, sends what is in the spool as
    /// long as the log answers, and returns.
    package func run() async {
        await withTaskGroup(of: Void.self) { forwarding in
            forwarding.addTask {
                await self.delivery.forward { chunks in self.commits.withLock { $0.didForward(chunks) } }
            }
            await withGracefulShutdownHandler {
                await commitAll()
            } onGracefulShutdown: {
                self.commits.withLock { $0.close() }
                for arrival in self.arrivals { arrival.finish() }
            }
            forwarding.cancelAll()
        }
        await delivery.forwardRest()
    }

    private func commitAll() async {
        await withTaskGroup(of: Void.self) { senders in
            for partition in arrivals.indices {
                senders.addTask {
                    for await _ in self.arrivals[partition].signals { await self.commitPending(partition) }
                    await self.commitPending(partition)
                }
            }
        }
    }

    /// One commit of a partition after the other, so that none overtakes another.
    private func commitPending(_ partition: Int) async {
        while let chunks = commits.withLock({ $0.begin(partition, at: admission.now()) }) {
            let delivered = await delivery.deliver(chunks, to: partition)
            let answers = commits.withLock {
                $0.finish(partition, delivered.result, in: delivered.log, durability: delivered.durability)
            }
            for answer in answers { tell(answer) }
        }
    }

    private func tell(_ answer: PartitionedCommit<Waiter>.Answer) {
        switch answer.waiter {
        case .request(let continuation): continuation.resume(returning: answer.result.mapError(IngestError.init))
        case .turn(let lane, let number):
            let parts = answer.parts.map { ($0.partition, $0.result.mapError { IngestError($0) }) }
            lane.finished([number], .parts(parts))
        }
    }

    // MARK: Health

    var status: DeliveryStatus { delivery.status }

    var readiness: Readiness {
        let status = status
        if let problem = admission.clock.problem { return .notReady(reasons: [problem]) }
        guard let problem = status.problem else { return .ready }
        if status.isStuck { return .notReady(reasons: [problem]) }
        return .counting(butNot: problem)
    }

    func report(to registry: MetricsRegistry) {
        registry.counter(
            "tally_events_refused_total", "Events, and entries of chunks, not made durable, and answered with 503."
        ) { Double(self.refusedEvents) }
        registry.gauge(
            "tally_log_ready", "1 while events can be made durable, 0 when neither log nor spool takes them."
        ) {
            self.status.isStuck ? 0 : 1
        }
        registry.gauge("tally_log_away", "1 while the log does not take what is sent to it.") {
            self.status.problem == nil ? 0 : 1
        }
        registry.gauge("tally_spool_chunks", "Chunks in the spool that the log does not have.") {
            Double(self.status.spooledChunks)
        }
        registry.gauge("tally_spool_bytes", "The encoded size of these chunks.") { Double(self.status.spooledBytes) }
        registry.counter("tally_spooled_chunks_total", "Chunks that were made durable in the spool.") {
            Double(self.status.spooledChunksInAll)
        }
        registry.counter("tally_forwarded_chunks_total", "Chunks that were brought from the spool to the log.") {
            Double(self.status.forwardedChunks)
        }
    }
}
