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

    /// Whom to answer, and how.
    package struct Answer {
        package let waiter: Waiter
        /// A receipt for each partition, or why one of them has no events.
        package let result: Result<[Receipt], LogError>
    }

    private struct Request {
        let waiter: Waiter
        var missing: Int
        var receipts: [Receipt] = []
        var error: LogError?
    }

    package let partitioning: Partitioning
    private var commits: [GroupCommit<Int>]
    private var requests: [Int: Request] = [:]
    private var lastRequest = 0

    /// - Parameters:
    ///   - process: never used before, since nobody knows which of its sequences are in the log.
    ///   - late: as `EventWindow` has it.
    package init(process: NodeID, partitioning: Partitioning, late: Int64) {
        self.partitioning = partitioning
        commits = (0..<partitioning.count).map { partition in
            let node = NodeID(process: process, partition: partition)
            return GroupCommit(node: node, lastSequence: 0, logTime: .epoch, late: late)
        }
    }

    /// Neither committing nor waiting to.
    package var isIdle: Bool { commits.allSatisfy(\.isIdle) }

    /// Adds the events of one request; all of them or, when refused, none.
    package mutating func add(_ events: [CountedEvent], backfill: Bool = false, waiter: Waiter) -> Admission {
        var parts: [Int: [CountedEvent]] = [:]
        for event in events { parts[partitioning.partition(of: event.banner), default: []].append(event) }
        let ordered = parts.sorted { $0.key < $1.key }
        for (partition, events) in ordered {
            if let refusal = commits[partition].refusal(of: events, backfill: backfill) { return .refused(refusal) }
        }
        lastRequest += 1
        requests[lastRequest] = Request(waiter: waiter, missing: parts.count)
        let begin = ordered.compactMap { partition, events in
            commits[partition].add(events, backfill: backfill, waiter: lastRequest) == .accepted(begins: true)
                ? partition : nil
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
    ///   - durability: what survives.
    /// - Returns: an answer for each request that was waiting for this alone.
    package mutating func finish(
        _ partition: Int, _ result: Result<[LogOffset], LogError>, in log: LogID, durability: Durability
    ) -> [Answer] {
        commits[partition].finish(result, counting: { _ in }).compactMap { part in
            guard var request = requests.removeValue(forKey: part.waiter) else { return nil }
            request.missing -= 1
            switch part.result {
            case .success(let offset):
                request.receipts.append(Receipt(log: log, offset: offset, durability: durability))
            case .failure(let error): request.error = error
            }
            guard request.missing == 0 else {
                requests[part.waiter] = request
                return nil
            }
            return Answer(
                waiter: request.waiter, result: request.error.map { .failure($0) } ?? .success(request.receipts))
        }
    }
}
