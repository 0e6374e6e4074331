// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle
import Synchronization
package import TallyCore

/// Takes events in: everything that arrives while a commit is being made durable goes into the next one, and nobody is
/// answered before the log has what they sent and the aggregator has counted it.
package final class Ingest: Service, LaneIngest {
    /// Who waits for a commit.
    package enum Waiter: Sendable {
        case request(CheckedContinuation<Result<Receipt, IngestError>, Never>)
        /// One turn of an event loop.
        case turn(LaneAddress, number: Int)
    }

    private let log: any EventLog
    private let aggregation: Aggregation
    private let admission: Admission
    private let commits: Mutex<GroupCommit<Waiter>>
    private let arrivals = Signal()
    private let executor: (any TaskExecutor)?

    /// - Parameters:
    ///   - commits: of `log`, from its end on.
    ///   - executor: where commits are gathered and answered: best the thread that the log blocks while it syncs, so that
    ///     nothing changes threads between the end of one sync and the next.
    package init(
        log: any EventLog, commits: sending GroupCommit<Waiter>, aggregation: Aggregation, admission: Admission,
        executor: (any TaskExecutor)? = nil
    ) {
        self.executor = executor
        self.log = log
        self.aggregation = aggregation
        self.admission = admission
        self.commits = Mutex(commits)
    }

    private let refused = Atomic<Int>(0)

    /// Why nothing is accepted any more; nil while the log works.
    package var failure: String? { commits.withLock { $0.failure } }

    private let lastRefusal = Mutex<String?>(nil)

    /// Why the log did not take the last commit; nil when it did.
    var refusal: String? { lastRefusal.withLock { $0 } }

    /// Tries whether the log takes an empty chunk, so that it is found to work again when no events come.
    func probe() {
        if commits.withLock({ $0.probe() }) { arrivals.send() }
    }

    /// Events, and entries of chunks, that were refused since the process started.
    var refusedEvents: Int { refused.load(ordering: .relaxed) }

    /// Counts the events of one request, all or none.
    /// - Returns: when they are durable and in every answer from now on.
    package func record(_ admitted: AdmittedEvents) async throws(IngestError) -> Receipt {
        do throws(IngestError) {
            return try await commit(admitted.newcomers) { commits, waiter in
                commits.add(admitted.events, backfill: admitted.backfill, waiter: waiter)
            }
        } catch {
            refused.add(admitted.count, ordering: .relaxed)
            throw error
        }
    }

    func take(_ sums: LaneSums, _ newcomers: Newcomers, from lane: LaneAddress, turn: Int) -> IngestError? {
        add(newcomers) { commits in commits.add(sums, waiter: .turn(lane, number: turn)) }
    }

    func noteRefused(_ events: Int) { refused.add(events, ordering: .relaxed) }

    /// Counts a chunk that another node made. One that was counted before is acknowledged and adds nothing.
    package func append(_ admitted: AdmittedChunk) async throws(IngestError) -> ChunkReceipt {
        if let offset = aggregation.offset(counting: admitted.chunk) {
            return ChunkReceipt(
                receipts: [Receipt(log: log.id, offset: offset, durability: log.durability)], duplicate: true)
        }
        do throws(IngestError) {
            if aggregation.isOverloaded { throw .overloaded }
            let receipt = try await commit(admitted.newcomers) { commits, waiter in
                commits.add(admitted.chunk, waiter: waiter)
            }
            return ChunkReceipt(receipts: [receipt], duplicate: false)
        } catch {
            refused.add(admitted.chunk.entryCount, ordering: .relaxed)
            throw error
        }
    }

    private func commit(
        _ newcomers: Newcomers, _ add: (inout GroupCommit<Waiter>, Waiter) -> GroupCommit<Waiter>.Admission
    ) async throws(IngestError) -> Receipt {
        let result: Result<Receipt, IngestError> = await withCheckedContinuation { waiter in
            let refusal = self.add(newcomers) { commits in add(&commits, .request(waiter)) }
            if let refusal { waiter.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    private func add(
        _ newcomers: Newcomers, _ add: (inout GroupCommit<Waiter>) -> GroupCommit<Waiter>.Admission
    ) -> IngestError? {
        let (begins, refusal) = commits.withLock { commits -> (Bool, IngestError?) in
            guard admission.hasRoom(for: newcomers) else { return (false, .limitReached) }
            switch add(&commits) {
            case .accepted(let begins):
                admission.note(newcomers)
                return (begins, nil)
            case .refused(let refusal): return (false, IngestError(refusal))
            }
        }
        if begins { arrivals.send() }
        return refusal
    }

    /// Commits until the process stops; then accepts nothing more, commits what was accepted, and returns.
    package func run() async {
        await withTaskExecutorPreference(executor) {
            await withGracefulShutdownHandler {
                for await _ in arrivals.signals { await commitPending() }
                await commitPending()
            } onGracefulShutdown: {
                self.commits.withLock { $0.close() }
                self.arrivals.finish()
            }
        }
    }

    private func commitPending() async {
        while let commit = commits.withLock({ $0.begin(at: admission.now()) }) {
            let result = await append(commit.chunks)
            note(result)
            answer(commits.withLock { $0.finish(result, counting: aggregation.apply) })
        }
    }

    /// All answers of a commit are alike, but for those behind it when the log has failed.
    private func answer(_ answers: [GroupCommit<Waiter>.Answer]) {
        var turns: [(lane: LaneAddress, numbers: [Int], result: Result<Receipt, IngestError>)] = []
        for answer in answers {
            let result = answer.result.map { Receipt(log: log.id, offset: $0, durability: log.durability) }
                .mapError(IngestError.init)
            switch answer.waiter {
            case .request(let continuation): continuation.resume(returning: result)
            case .turn(let lane, let number):
                if let index = turns.firstIndex(where: { $0.lane.number == lane.number }) {
                    turns[index].numbers.append(number)
                } else {
                    turns.append((lane, [number], result))
                }
            }
        }
        for (lane, numbers, result) in turns { lane.finished(numbers, .whole(result)) }
    }

    private func note(_ result: Result<[LogOffset], LogError>) {
        var refusal: String?
        if case .failure(let error) = result { refusal = error.description }
        lastRefusal.withLock { if $0 != refusal { $0 = refusal } }
    }

    private func append(_ chunks: [Chunk]) async -> Result<[LogOffset], LogError> {
        do throws(LogError) {
            return .success(try await log.append(chunks))
        } catch {
            return .failure(error)
        }
    }
}

extension IngestError {
    init<Waiter>(_ refusal: GroupCommit<Waiter>.Refusal) {
        switch refusal {
        case .overloaded: self = .overloaded
        case .closed: self = .closing
        case .stale: self = .stale
        case .failed(let reason): self = .unavailable(reason)
        }
    }

    init(_ error: LogError) { self = .unavailable(error.description) }
}
