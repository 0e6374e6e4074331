// SPDX-License-Identifier: Apache-2.0

/// Decides what becomes durable together: everything that arrives while one commit is on its way is the next commit.
/// The sync in progress is the timer, so a lone event waits for nothing and a crowd shares one sync.
///
/// No I/O: the owner adds, begins, appends what `begin` returned to the log, and finishes. `Waiter` is whatever the owner
/// uses to answer a request.
///
/// It also keeps final minutes final: a commit never moves the log's time so far that the minute of one of its events, or
/// of one that waits behind it, would be final; an event whose minute became final since it was admitted is refused.
///
///     idle ──add──► pending ──begin──► committing ──finish──► idle or pending
///                                          └──finish(.failed)──► failed (every add is refused)
package struct GroupCommit<Waiter> {
    /// What has to be appended to the log, in one call.
    package struct Commit {
        package let chunks: [Chunk]
    }

    package enum Admission: Equatable, Sendable {
        /// Accepted. When `begins` is true no commit is on its way and the owner must begin one.
        case accepted(begins: Bool)
        case refused(Refusal)
    }

    /// Why nothing was accepted.
    package enum Refusal: Error, Equatable, Sendable {
        /// More is waiting than the limit; the log is slower than the arrivals.
        case overloaded
        /// The process is stopping.
        case closed
        /// The minute of an event became final since it was admitted.
        case stale
        /// The log has failed for good.
        case failed(String)
    }

    /// Whom to answer, and how.
    package struct Answer {
        package let waiter: Waiter
        /// The offset that covers everything the waiter sent, or why it is not durable.
        package let result: Result<LogOffset, LogError>
    }

    /// What is committed together: a request's events are never spread over two commits.
    private struct Group {
        var foreign: [Chunk] = []
        var builders: [ChunkBuilder] = []
        var lanes: [LaneSums] = []
        var waiters: [Waiter] = []
        /// Of the events that are no backfill.
        var earliest = Minute.last
        /// Of all others.
        var earliestBackfill = Minute.last

        var entryCount: Int {
            foreign.reduce(0) { $0 + $1.entryCount } + builders.reduce(0) { $0 + $1.entryCount }
                + lanes.reduce(0) { $0 + $1.entryCount }
        }
    }

    private enum Phase {
        case idle
        case committing([Chunk], waiters: [Waiter])
        case failed(String)
    }

    private let node: NodeID
    private let pendingEntriesLimit: Int
    /// How many minutes behind the log's time an event may lie.
    private let late: Int64
    /// How many minutes behind the log's time a backfill may lie; nil for any number.
    private let floor: Int64?
    private var numbering: ChunkNumbering
    /// The highest time of any chunk.
    private var logTime: Timestamp
    private var phase = Phase.idle
    private var groups: [Group] = []
    private var isClosed = false

    /// - Parameters:
    ///   - lastSequence: the last number that the node gave to a chunk; 0 when there is none.
    ///   - unsettled: the numbers up to `lastSequence` that are not known to be in the log.
    ///   - logTime: the highest time of any chunk in the log.
    ///   - late: as `EventWindow` has it.
    ///   - floor: `Retention.floor`.
    ///   - pendingEntriesLimit: how many entries may wait for a commit.
    package init(
        node: NodeID, lastSequence: UInt64, unsettled: SequenceRanges = SequenceRanges(), logTime: Timestamp,
        late: Int64, floor: Int64? = nil, pendingEntriesLimit: Int = 2_000_000
    ) {
        self.node = node
        self.numbering = ChunkNumbering(last: lastSequence, unsettled: unsettled)
        self.logTime = logTime
        self.late = late
        self.floor = floor
        self.pendingEntriesLimit = pendingEntriesLimit
    }

    /// Goes on where the log ends. What the aggregator has not counted of the node is unsettled: older damage, and repairs.
    ///
    /// - Parameters:
    ///   - lastSequence: the node's last chunk that the log knows of; damage may have taken the chunk itself.
    ///   - aggregator: has read the whole log.
    package init(node: NodeID, lastSequence: UInt64, after aggregator: Aggregator, late: Int64, floor: Int64? = nil) {
        let counted = aggregator.sequences(of: node)
        let last = max(lastSequence, counted.highest)
        var unsettled = last == 0 ? SequenceRanges() : SequenceRanges(1...last)
        unsettled.subtract(counted)
        self.init(
            node: node, lastSequence: last, unsettled: unsettled, logTime: aggregator.time, late: late, floor: floor)
    }

    /// Entries that wait for a commit to begin.
    package var pendingEntries: Int { groups.reduce(0) { $0 + $1.entryCount } }

    /// Why nothing is accepted any more; nil while the log works.
    package var failure: String? {
        if case .failed(let reason) = phase { return reason }
        return nil
    }

    /// Neither committing nor waiting to.
    package var isIdle: Bool {
        if case .committing = phase { return false }
        return groups.isEmpty
    }

    /// Adds the events of one request; all of them or, when refused, none.
    /// - Parameter backfill: they may change final minutes.
    package mutating func add(
        _ events: some Collection<CountedEvent>, backfill: Bool = false, waiter: Waiter
    ) -> Admission {
        if let refusal = refusal(of: events, backfill: backfill) { return .refused(refusal) }
        openGroup()
        for event in events { Self.add(event, to: &groups[groups.count - 1]) }
        let earliest = Self.earliest(events, backfill: backfill)
        groups[groups.count - 1].earliest = min(groups[groups.count - 1].earliest, earliest)
        if backfill { lower(to: Self.earliest(events, backfill: false)) }
        groups[groups.count - 1].waiters.append(waiter)
        return .accepted(begins: isReadyToBegin)
    }

    /// Adds a chunk that another node made; it keeps its node and sequence, and asserts nothing: no client can hold up the counting by
    /// what it claims of its sequences.
    package mutating func add(_ chunk: Chunk, waiter: Waiter) -> Admission {
        if let refusal = refusal(of: chunk) { return .refused(refusal) }
        var chunk = chunk
        chunk.unsettled = nil
        openGroup()
        lower(to: chunk.earliestMinute)
        groups[groups.count - 1].foreign.append(chunk)
        groups[groups.count - 1].waiters.append(waiter)
        return .accepted(begins: isReadyToBegin)
    }

    /// Adds what a lane has summed in one turn. It shares a chunk with the other turns of this lane in the commit.
    package mutating func add(_ sums: LaneSums, waiter: Waiter) -> Admission {
        precondition(!sums.isEmpty, "a lane hands over a turn in which something came")
        if let refusal = refusal(of: sums) { return .refused(refusal) }
        openGroup()
        Self.add(sums, to: &groups[groups.count - 1])
        groups[groups.count - 1].waiters.append(waiter)
        return .accepted(begins: isReadyToBegin)
    }

    /// Makes an empty chunk the next commit, when nothing else is: whether the log takes it tells whether it works again.
    /// - Returns: whether the owner must begin a commit.
    package mutating func probe() -> Bool {
        guard failure == nil, !isClosed, isIdle else { return false }
        groups.append(Group(builders: [ChunkBuilder()]))
        return true
    }

    /// The next commit, if there is something to commit and none is on its way.
    /// - Parameter now: becomes the time of each of its chunks, unless that would make a minute final, or let it fall behind the
    ///   floor, which an event in it, or one that waits, belongs to.
    package mutating func begin(at now: Timestamp) -> Commit? {
        guard isReadyToBegin else { return nil }
        let group = groups.removeFirst()
        let time = ([group] + groups).reduce(now) {
            let time = min($0, EventWindow.latestTime(before: $1.earliest, isFinalWith: late))
            guard let floor else { return time }
            return min(time, EventWindow.latestTime(before: $1.earliestBackfill, isFinalWith: floor))
        }
        logTime = max(logTime, time)
        numbering.beginCommit()
        var chunks = group.foreign.map { chunk in
            var chunk = chunk
            chunk.time = time
            return chunk
        }
        for builder in group.builders {
            chunks.append(numbering.close { builder.chunk(node: node, sequence: $0, time: time) })
        }
        for sums in group.lanes {
            chunks.append(numbering.close { sums.chunk(node: node, sequence: $0, time: time) })
        }
        phase = .committing(chunks, waiters: group.waiters)
        return Commit(chunks: chunks)
    }

    /// The log has answered.
    /// - Parameters:
    ///   - isSettled: whether chunks that are durable are in the log; false when they are in a spool, until `settle` says so.
    ///   - count: counts the chunks in the aggregator; called before anyone is answered, so that an acknowledged
    ///     event is in the very next answer.
    /// - Returns: an answer for each waiter of this commit, and of those behind it when the log has failed for good.
    package mutating func finish(
        _ result: Result<[LogOffset], LogError>, isSettled: Bool = true, counting count: ([LogEntry]) -> Void
    ) -> [Answer] {
        guard case .committing(let chunks, var waiters) = phase else {
            preconditionFailure("a commit finishes that was not begun")
        }
        phase = .idle
        switch result {
        case .success(let offsets):
            if isSettled { numbering.settleCommit() }
            count(zip(offsets, chunks).map(LogEntry.init))
        case .failure(.refused): numbering.takeCommitBack()
        case .failure(.failed(let reason)):
            phase = .failed(reason)
            waiters += groups.flatMap(\.waiters)
            groups = []
        case .failure: break  // The chunks may be in the log: their numbers are never used again, and stay unsettled.
        }
        let answer = result.map { $0.max() ?? .none }
        return waiters.map { Answer(waiter: $0, result: answer) }
    }

    /// A chunk that was in a spool is in the log. Those of other nodes are passed over.
    package mutating func settle(_ chunk: Chunk) {
        if chunk.node == node { numbering.settle(chunk.sequence) }
    }

    /// Accepts nothing more; what was accepted is still committed.
    package mutating func close() { isClosed = true }

    private var isReadyToBegin: Bool {
        guard case .idle = phase else { return false }
        return !groups.isEmpty
    }

    /// Why these events would be refused now; nil when they would not.
    func refusal(of events: some Collection<CountedEvent>, backfill: Bool) -> Refusal? {
        if let refusal = refusal(of: events.count) { return refusal }
        if backfill { return refusal(ofBackfill: Self.earliest(events, backfill: false)) }
        let final = EventWindow.watermark(logTime: logTime, late: late)
        return Self.earliest(events, backfill: false) < final ? .stale : nil
    }

    /// No chunk has a minute further before the log's time than the floor, so that what lies there may be collapsed.
    private func refusal(ofBackfill earliest: Minute) -> Refusal? {
        guard let floor else { return nil }
        return earliest < EventWindow.watermark(logTime: logTime, late: floor) ? .stale : nil
    }

    private mutating func lower(to earliest: Minute) {
        groups[groups.count - 1].earliestBackfill = min(groups[groups.count - 1].earliestBackfill, earliest)
    }

    func refusal(of chunk: Chunk) -> Refusal? {
        refusal(of: chunk.entryCount) ?? refusal(ofBackfill: chunk.earliestMinute)
    }

    func refusal(of sums: LaneSums) -> Refusal? {
        if let refusal = refusal(of: sums.entryCount) { return refusal }
        return sums.earliest < EventWindow.watermark(logTime: logTime, late: late) ? .stale : nil
    }

    /// The earliest minute that must not become final before the events are counted.
    private static func earliest(_ events: some Collection<CountedEvent>, backfill: Bool) -> Minute {
        backfill ? .last : events.reduce(.last) { min($0, $1.minute) }
    }

    private func refusal(of entries: Int) -> Refusal? {
        if let failure { return .failed(failure) }
        if isClosed { return .closed }
        return pendingEntries + entries > pendingEntriesLimit ? .overloaded : nil
    }

    private mutating func openGroup() {
        if let last = groups.last, last.entryCount < Limits.chunkEntries { return }
        groups.append(Group())
    }

    /// Static, since a method would keep a copy of `self` while it runs, and the whole table would be copied to change it.
    private static func add(_ event: CountedEvent, to group: inout Group) {
        if let last = group.builders.indices.last, group.builders[last].add(event) { return }
        var builder = ChunkBuilder()
        let added = builder.add(event)
        precondition(added, "an empty chunk has room for an event")
        group.builders.append(builder)
    }

    /// Static for the same reason.
    private static func add(_ sums: LaneSums, to group: inout Group) {
        group.earliest = min(group.earliest, sums.earliest)
        for index in group.lanes.indices where group.lanes[index].add(sums) { return }
        group.lanes.append(sums)
    }
}
