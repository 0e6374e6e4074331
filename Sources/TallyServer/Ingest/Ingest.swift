// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle
import Synchronization
package import TallyCore

/// Takes events in: everything that arrives while a commit is being made durable goes into the next one, and nobody is
/// answered before the log has what they sent and the aggregator has counted it.
package final class Ingest: Service {
    package typealias Waiter = CheckedContinuation<Result<LogOffset, IngestError>, Never>

    private let log: any EventLog
    private let aggregation: Aggregation
    private let admission: Admission
    private let commits: Mutex<GroupCommit<Waiter>>
    private let arrivals = Signal()

    /// - Parameter commits: of `log`, from its end on.
    package init(
        log: any EventLog, commits: sending GroupCommit<Waiter>, aggregation: Aggregation, admission: Admission
    ) {
        self.log = log
        self.aggregation = aggregation
        self.admission = admission
        self.commits = Mutex(commits)
    }

    /// Why nothing is accepted any more; nil while the log works.
    package var failure: String? { commits.withLock { $0.failure } }

    private let refused = Atomic<Int>(0)

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

    /// Counts a chunk that another node made. One that was counted before is acknowledged and adds nothing.
    package func append(_ admitted: AdmittedChunk) async throws(IngestError) -> ChunkReceipt {
        if let offset = aggregation.offset(counting: admitted.chunk) {
            return ChunkReceipt(
                receipt: Receipt(log: log.id, offset: offset, durability: log.durability), duplicate: true)
        }
        do throws(IngestError) {
            if aggregation.isOverloaded { throw .overloaded }
            let receipt = try await commit(admitted.newcomers) { commits, waiter in
                commits.add(admitted.chunk, waiter: waiter)
            }
            return ChunkReceipt(receipt: receipt, duplicate: false)
        } catch {
            refused.add(admitted.chunk.entryCount, ordering: .relaxed)
            throw error
        }
    }

    private func commit(
        _ newcomers: Newcomers, _ add: (inout GroupCommit<Waiter>, Waiter) -> GroupCommit<Waiter>.Admission
    ) async throws(IngestError) -> Receipt {
        let result: Result<LogOffset, IngestError> = await withCheckedContinuation { waiter in
            let refusal = commits.withLock { commits -> IngestError? in
                guard admission.hasRoom(for: newcomers) else { return .limitReached }
                switch add(&commits, waiter) {
                case .accepted(let begins):
                    admission.note(newcomers)
                    if begins { arrivals.send() }
                    return nil
                case .refused(let refusal): return IngestError(refusal)
                }
            }
            if let refusal { waiter.resume(returning: .failure(refusal)) }
        }
        return Receipt(log: log.id, offset: try result.get(), durability: log.durability)
    }

    /// Commits until the process stops; then accepts nothing more, commits what was accepted, and returns.
    package func run() async {
        await withGracefulShutdownHandler {
            for await _ in arrivals.signals { await commitPending() }
            await commitPending()
        } onGracefulShutdown: {
            self.commits.withLock { $0.close() }
            self.arrivals.finish()
        }
    }

    private func commitPending() async {
        while let commit = commits.withLock({ $0.begin(at: admission.now()) }) {
            let result = await append(commit.chunks)
            for answer in commits.withLock({ $0.finish(result, counting: aggregation.apply) }) {
                answer.waiter.resume(returning: answer.result.mapError(IngestError.init))
            }
        }
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
    fileprivate init<Waiter>(_ refusal: GroupCommit<Waiter>.Refusal) {
        switch refusal {
        case .overloaded: self = .overloaded
        case .closed: self = .closing
        case .stale: self = .stale
        case .failed(let reason): self = .unavailable(reason)
        }
    }

    fileprivate init(_ error: LogError) { self = .unavailable(error.description) }
}
