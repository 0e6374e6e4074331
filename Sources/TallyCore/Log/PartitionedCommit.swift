// SPDX-License-Identifier: Apache-2.0

/// Commits to a log of several partitions: each has a `GroupCommit` of its own, and a request is answered when all the
/// partitions have its events.
///
/// No I/O. A request whose events lie in several partitions is not atomic: when one of them fails, the others count.
package struct PartitionedCommit<Waiter> {
    package enum Admission: Equatable, Sendable {
        /// Accepted. In these partitions no commit is on its way, and the owner must begin one.
        case accepted(begin: [Int])
        case refused(GroupCommit<Int>.Refusal)
    }

    /// What became of the part of a request that lies in one partition.
    package struct Part {
        package let partition: Int
        package let result: Result<Receipt, LogError>
    }

    /// Whom to answer, and how.
    package struct Answer {
        package let waiter: Waiter
        package let parts: [Part]

        /// A receipt for each partition, or why one of them has no events: `.refused` only when none has any.
        package var result: Result<[Receipt], LogError> {
            var receipts: [Receipt] = []
            var errors: [LogError] = []
            for part in parts {
                switch part.result {
                case .success(let receipt): receipts.append(receipt)
                case .failure(let error): errors.append(error)
                }
            }
            guard let first = errors.first else { return .success(receipts) }
            let isNowhere = receipts.isEmpty && errors.allSatisfy { if case .refused = $0 { true } else { false } }
            return .failure(isNowhere ? first : .unavailable(first.description))
        }
    }

    private struct Request {
        let waiter: Waiter
        var missing: Int
        var parts: [Part] = []
    }

    package let partitioning: Partitioning
    private var commits: [GroupCommit<Int>]
    private var requests: [Int: Request] = [:]
    private var lastRequest = 0

    /// - Parameters:
    ///   - process: never used before, since nobody knows which of its sequences are in the log.
    ///   - late: as `EventWindow` has it.
    ///   - floor: `Retention.floor`.
    package init(process: NodeID, partitioning: Partitioning, late: Int64, floor: Int64? = nil) {
        self.partitioning = partitioning
        // A process that reads no log knows of no time but that of its own chunks.
        commits = (0..<partitioning.count).map { partition in
            let node = NodeID(process: process, partition: partition)
            return GroupCommit(
                node: node, lastSequence: 0, logTime: .epoch, late: late, floor: floor,
                pendingEntriesLimit: max(500_000, 2_000_000 / partitioning.count))
        }
    }

    /// Neither committing nor waiting to.
    package var isIdle: Bool { commits.allSatisfy(\.isIdle) }

    /// Entries that wait for a commit to begin.
    package var pendingEntries: Int { commits.reduce(0) { $0 + $1.pendingEntries } }

    /// Adds the events of one request; all of them or, when refused, none.
    package mutating func add(_ events: [CountedEvent], backfill: Bool = false, waiter: Waiter) -> Admission {
        var parts: [Int: [CountedEvent]] = [:]
        for event in events { parts[partitioning.partition(of: event.banner), default: []].append(event) }
        return add(parts, waiter: waiter) { commits, events in
            commits.refusal(of: events, backfill: backfill)
        } adding: { commits, events, request in
            commits.add(events, backfill: backfill, waiter: request)
        }
    }

    /// Adds what a lane has summed in one turn; all of it or, when refused, nothing.
    package mutating func add(_ sums: LaneSums, waiter: Waiter) -> Admission {
        add(sums.split(by: partitioning), waiter: waiter) { commits, sums in
            commits.refusal(of: sums)
        } adding: { commits, sums, request in
            commits.add(sums, waiter: request)
        }
    }

    /// Adds a chunk that another node made; all of it or, when refused, nothing. In each partition that has banners of it
    /// its node is another, and its sequence the same.
    package mutating func add(_ chunk: Chunk, waiter: Waiter) -> Admission {
        add(chunk.split(by: partitioning), waiter: waiter) { commits, chunk in
            commits.refusal(of: chunk)
        } adding: { commits, chunk, request in
            commits.add(chunk, waiter: request)
        }
    }

    private mutating func add<Content>(
        _ parts: [Int: Content], waiter: Waiter,
        refusal: (GroupCommit<Int>, Content) -> GroupCommit<Int>.Refusal?,
        adding add: (inout GroupCommit<Int>, Content, Int) -> GroupCommit<Int>.Admission
    ) -> Admission {
        precondition(!parts.isEmpty, "nobody waits for nothing")
        let ordered = parts.sorted { $0.key < $1.key }
        for (partition, content) in ordered {
            if let refusal = refusal(commits[partition], content) { return .refused(refusal) }
        }
        lastRequest += 1
        requests[lastRequest] = Request(waiter: waiter, missing: parts.count)
        let begin = ordered.compactMap { partition, content in
            add(&commits[partition], content, lastRequest) == .accepted(begins: true) ? partition : nil
        }
        return .accepted(begin: begin)
    }

    /// The next commit of a partition, as `GroupCommit.begin`.
    package mutating func begin(_ partition: Int, at now: Timestamp) -> [Chunk]? {
        commits[partition].begin(at: now)?.chunks
    }

    /// The chunks of a partition are durable in a log or its spool, or are not.
    /// - Parameters:
    ///   - result: the offset of each chunk in `log`.
    ///   - durability: what survives; `.disk` when the chunks are in the spool.
    /// - Returns: an answer for each request that was waiting for this alone.
    package mutating func finish(
        _ partition: Int, _ result: Result<[LogOffset], LogError>, in log: LogID, durability: Durability
    ) -> [Answer] {
        let isSettled = durability != .disk
        return commits[partition].finish(result, isSettled: isSettled, counting: { _ in }).compactMap { answer in
            guard var request = requests.removeValue(forKey: answer.waiter) else { return nil }
            let result = answer.result.map { Receipt(log: log, offset: $0, durability: durability) }
            request.parts.append(Part(partition: partition, result: result))
            request.missing -= 1
            guard request.missing == 0 else {
                requests[answer.waiter] = request
                return nil
            }
            return Answer(waiter: request.waiter, parts: request.parts)
        }
    }

    /// The log has these chunks of the spool now. Those of other processes are passed over.
    package mutating func didForward(_ chunks: [Chunk]) {
        for chunk in chunks where commits.indices.contains(chunk.node.partition) {
            commits[chunk.node.partition].settle(chunk)
        }
    }

    /// Accepts nothing more; what was accepted is still committed.
    package mutating func close() {
        for partition in commits.indices { commits[partition].close() }
    }
}
