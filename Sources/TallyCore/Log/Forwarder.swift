// SPDX-License-Identifier: Apache-2.0

/// Brings what was spooled to the log it is meant for, oldest first, and says whether new chunks of a partition go to the log or
/// join the spool: while the log does not answer they join it, so that nobody waits for a partition that is away.
///
///     resting ──► reading ──► sending … ──► trimming ──► resting
///        └──► probing, while a partition is away and nothing is to be sent to it
///
/// A partition that fails to take its chunks in time is sent half as many next, so that a slow log takes some in time. Each success adds a
/// quarter, or doubles the number where nothing was taken before.
///
/// No I/O: the owner does what `next` says, one thing at a time, and reports back. Nothing is written down about what was
/// sent: after a restart what is still in the spool is sent again, and counts once, since a chunk counts once per node and
/// sequence.
package struct Forwarder: Sendable {
    package enum Action: Equatable, Sendable {
        /// Read the spool from here on, and call `didRead`.
        case read(from: LogOffset)
        /// Append each chunk to the partition of its node, in this order there, and call `didSend`.
        case send([Chunk])
        /// Ask this partition whether it answers, and call `didProbe`.
        case probe(Int)
        /// Let the spool drop what stands before, and call `didTrim`.
        case trim(before: LogOffset)
    }

    private enum Phase: Sendable {
        case resting, reading, sending
        case probing(Int)
        case trimming
    }

    private struct Limit: Sendable {
        /// How many chunks, at least 1.
        var most: Int
        var hasFailed = true
        /// It failed at least twice in a row, so that how many it takes is not known.
        var doubles = false
    }

    private var phase = Phase.resting
    /// What was read and the log does not have.
    private var entries: [LogEntry] = []
    /// The last of what was read.
    private var lastRead = LogOffset.none
    /// The end of the spool when it was last read.
    private var end = LogOffset.none
    /// The last spooled chunk that the log has, with all before it.
    package private(set) var position: LogOffset
    private var trimmedBefore: LogOffset
    /// The partitions that did not answer when they were last asked.
    private var away: Set<Int> = []
    /// How much is sent at once to a partition that has failed; to others all that was read.
    private var limits: [Int: Limit] = [:]
    /// After a failure those have their turn that nothing is sent to.
    private var probesFirst = false

    /// - Parameter first: where the spool begins.
    package init(first: LogOffset) {
        position = LogOffset(first.value - 1)
        trimmedBefore = first
    }

    /// A partition did not answer when it was last asked.
    package var isLogAway: Bool { !away.isEmpty }

    /// This one did not: its new chunks go into the spool.
    package func isAway(_ partition: Int) -> Bool { away.contains(partition) }

    /// What to do now; nil when the log has everything, and answers.
    /// - Parameter end: of the spool.
    /// - Precondition: the last action was reported.
    package mutating func next(end: LogOffset) -> Action? {
        guard case .resting = phase else { preconditionFailure("the last action was not reported") }
        if probesFirst, let partition = partitionToProbe { return probe(partition) }
        if !entries.isEmpty {
            phase = .sending
            return .send(nextEntries.map(\.chunk))
        }
        if trimmedBefore < position.next {
            phase = .trimming
            return .trim(before: position.next)
        }
        if position < end {
            phase = .reading
            self.end = end
            return .read(from: position.next)
        }
        guard let partition = partitionToProbe else { return nil }
        return probe(partition)
    }

    /// What is sent next, in the order of the spool.
    private var nextEntries: [LogEntry] {
        if limits.isEmpty { return entries }
        var counts: [Int: Int] = [:]
        return entries.filter { entry in
            let partition = entry.chunk.node.partition
            counts[partition, default: 0] += 1
            return counts[partition, default: 0] <= limits[partition]?.most ?? .max
        }
    }

    private mutating func probe(_ partition: Int) -> Action {
        phase = .probing(partition)
        return .probe(partition)
    }

    private var partitionToProbe: Int? { away.subtracting(entries.map(\.chunk.node.partition)).min() }

    /// - Parameter entries: `[]` when the spool has nothing more: damage may have taken its last offsets.
    package mutating func didRead(_ entries: [LogEntry]) {
        self.entries = entries
        lastRead = entries.last?.offset ?? end
        if entries.isEmpty { position = end }
        phase = .resting
    }

    /// - Parameter failed: these partitions did not take theirs, of which fewer are sent next, after a while.
    /// - Returns: the chunks that the log has now.
    package mutating func didSend(failed: Set<Int> = []) -> [Chunk] {
        precondition(!entries.isEmpty, "nothing was to be sent")
        let tried = nextEntries
        let counts = Dictionary(tried.map { ($0.chunk.node.partition, 1) }, uniquingKeysWith: +)
        for (partition, count) in counts { adjustLimit(of: partition, tried: count, failed.contains(partition)) }
        let sent = tried.filter { !failed.contains($0.chunk.node.partition) }
        away.subtract(sent.map(\.chunk.node.partition))
        away.formUnion(failed)
        let offsets = Set(sent.map(\.offset))
        entries.removeAll { offsets.contains($0.offset) }
        if entries.isEmpty { position = lastRead }
        probesFirst = !failed.isEmpty
        phase = .resting
        return sent.map(\.chunk)
    }

    private mutating func adjustLimit(of partition: Int, tried: Int, _ hasFailed: Bool) {
        guard var limit = limits[partition] else {
            if hasFailed { limits[partition] = Limit(most: max(1, tried / 2)) }
            return
        }
        if hasFailed {
            limit.doubles = limit.hasFailed
            limit.most = max(1, tried / 2)
        } else if tried == limit.most {
            limit.most += limit.doubles ? tried : max(1, tried / 4)
        }
        limit.hasFailed = hasFailed
        limits[partition] = limit
    }

    package mutating func didProbe(answered: Bool) {
        guard case .probing(let partition) = phase else { preconditionFailure("nobody was asked") }
        if answered { away.remove(partition) }
        probesFirst = false
        phase = .resting
    }

    package mutating func didTrim() {
        trimmedBefore = position.next
        phase = .resting
    }

    /// The spool did not do it. `next` says the same again, after a while; but what was not trimmed is trimmed with the next.
    package mutating func didFail() {
        if case .trimming = phase { trimmedBefore = position.next }
        probesFirst = true
        phase = .resting
    }

    /// Whether a partition took a chunk that was sent to it directly; if not, it goes into the spool, and others after it.
    package mutating func note(_ partition: Int, answered: Bool) {
        if answered { away.remove(partition) } else { away.insert(partition) }
    }
}
