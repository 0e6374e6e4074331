// SPDX-License-Identifier: Apache-2.0

package import Logging
import Synchronization
package import TallyCore

/// Brings commits to the log or to the spool, and what is in the spool to the log: does what `Delivery` and `Forwarder` say.
package final class LogDelivery: Sendable {
    /// What became of a commit.
    struct Delivered {
        let result: Result<[LogOffset], LogError>
        let log: LogID
        let durability: Durability
    }

    private struct State {
        var forwarder: Forwarder
        var account: SpoolAccount
        var spooledChunks = 0
        var forwardedChunks = 0
        /// Why each partition that is away did not take what was sent to it.
        var problems: [Int: String] = [:]
        /// The spool takes nothing any more.
        var spoolFailure: String?
    }

    package let partitioning: Partitioning
    private let logs: any PartitionedLog
    private let spool: (any EventLog)?
    private let acknowledgement: Acknowledgement
    private let logger: Logger
    private let state: Mutex<State>
    /// Sent when there may be something to forward.
    private let work = Signal()

    /// Looks at what was left in the spool.
    /// - Throws: `.damaged` when something in it belongs to no partition of the log.
    package init(
        logs: any PartitionedLog, spool: Spool?, acknowledgement: Acknowledgement, logger: Logger
    ) async throws(LogError) {
        self.logs = logs
        self.spool = spool?.log
        self.acknowledgement = acknowledgement
        self.logger = logger
        partitioning = logs.partitioning
        let found = try await spool?.survey(partitioning)
        state = Mutex(
            State(
                forwarder: Forwarder(first: found?.first ?? LogOffset(1)),
                account: found?.account ?? SpoolAccount(limit: 0)))
        work.send()
    }

    /// How much of the spool is read, and sent, at once.
    static let bytesPerRead = 1 << 20

    // MARK: Delivering

    func deliver(_ chunks: [Chunk], to partition: Int) async -> Delivered {
        // In the spool it would stand in the way of all behind it.
        if let refusal = refusal(ofLongOneIn: chunks) {
            return Delivered(result: .failure(refusal), log: logs.log(of: partition).id, durability: .quorum)
        }
        var delivery = state.withLock { state in
            Delivery(
                chunks, isLogAway: state.forwarder.isAway(partition), spool: spoolState(state),
                acknowledgement: acknowledgement
            )
        }
        while true {
            switch delivery.action {
            case .send(let chunks): delivery.didSend(await send(chunks, to: partition))
            case .spool(let chunks): delivery.didSpool(await keep(chunks))
            case .finish(let result, let durability):
                let log = durability == .disk ? spool?.id : nil
                return Delivered(result: result, log: log ?? logs.log(of: partition).id, durability: durability)
            }
        }
    }

    private func refusal(ofLongOneIn chunks: [Chunk]) -> LogError? {
        for chunk in chunks where chunk.mostBytes > logs.largestChunk {
            let bytes = chunk.encoded().count
            if bytes > logs.largestChunk {
                return .refused("a chunk has \(bytes) bytes, and the log takes \(logs.largestChunk) (docs/logs.md)")
            }
        }
        return nil
    }

    private func spoolState(_ state: State) -> Delivery.Spool {
        if spool == nil || state.spoolFailure != nil { return .none }
        return state.account.isFull ? .full : .open
    }

    private func send(_ chunks: [Chunk], to partition: Int) async -> Result<[LogOffset], LogError> {
        let result = await Result.of(appending: chunks, to: logs.log(of: partition))
        note(result.failure, of: partition)
        return result
    }

    /// What the log answered.
    private func note(_ error: LogError?, of partition: Int) {
        let wasAway = state.withLock { state in
            let wasAway = state.forwarder.isAway(partition)
            state.forwarder.note(partition, answered: error == nil)
            state.problems[partition] = error?.description
            return wasAway
        }
        log(error, of: partition, wasAway: wasAway)
        if error != nil { work.send() }
    }

    private func log(_ error: LogError?, of partition: Int, wasAway: Bool) {
        if let error, !wasAway {
            logger.warning(
                "the log does not take what is sent to it",
                metadata: ["partition": "\(partition)", "error": "\(error)"])
        } else if error == nil, wasAway {
            logger.info("the log takes what is sent to it again", metadata: ["partition": "\(partition)"])
        }
    }

    private func keep(_ chunks: [Chunk]) async -> Result<[LogOffset], LogError> {
        guard let spool else { preconditionFailure("only who has a spool is told to use it") }
        guard state.withLock({ $0.account.admit(chunks) }) else { return .failure(Delivery.fullSpool) }
        let result = await Result.of(appending: chunks, to: spool)
        state.withLock { state in
            switch result {
            case .success: state.spooledChunks += chunks.count
            case .failure(.refused): state.account.remove(chunks)
            case .failure(let error): state.spoolFailure = error.description
            }
        }
        if let error = result.failure {
            logger.error("the spool does not take what the log doesn't", metadata: ["error": "\(error)"])
        }
        work.send()
        return result
    }

    // MARK: Forwarding

    /// Until it is cancelled.
    /// - Parameter didForward: is told which chunks of the spool the log has now.
    func forward(_ didForward: @Sendable ([Chunk]) -> Void) async {
        for await _ in work.signals {
            var failures = 0
            while !Task.isCancelled, let action = await next() {
                failures = await perform(action, didForward) ? 0 : failures + 1
                if failures > 0 { try? await Task.sleep(for: LogDelivery.pause(failures)) }
            }
        }
    }

    /// What can be sent now, at the end of the process.
    func forwardRest() async {
        while let action = await next() {
            // Nothing is committed any more that could declare what is settled.
            if await !perform(action, { _ in }) { return }
        }
    }

    /// The brokers are asked again soon after they are back.
    private static func pause(_ failures: Int) -> Duration {
        min(.seconds(5), Backoff.delay(failures: failures, jitter: .random(in: 0...1)))
    }

    private func next() async -> Forwarder.Action? {
        let end = (try? await spool?.end()) ?? .none
        return state.withLock { $0.forwarder.next(end: end) }
    }

    /// - Returns: false when it did not work.
    private func perform(_ action: Forwarder.Action, _ didForward: @Sendable ([Chunk]) -> Void) async -> Bool {
        switch action {
        case .read(let offset): await read(from: offset)
        case .send(let chunks): await sendAll(chunks, didForward)
        case .probe(let partition): await probe(partition)
        case .trim(let offset): await trim(before: offset)
        }
    }

    private func read(from offset: LogOffset) async -> Bool {
        guard let spool else { preconditionFailure("only what was spooled is forwarded") }
        let result = await Result.of(reading: spool, from: offset, maximumBytes: LogDelivery.bytesPerRead)
        state.withLock { state in
            switch result {
            case .success(let entries): state.forwarder.didRead(entries)
            case .failure: state.forwarder.didFail()
            }
        }
        if let error = result.failure { logger.error("the spool can't be read", metadata: ["error": "\(error)"]) }
        return result.failure == nil
    }

    /// To all partitions at once.
    private func sendAll(_ chunks: [Chunk], _ didForward: @Sendable ([Chunk]) -> Void) async -> Bool {
        let parts = Dictionary(grouping: chunks, by: \.node.partition)
        let errors = await withTaskGroup(of: (Int, LogError?).self) { group in
            for (partition, chunks) in parts {
                group.addTask {
                    (partition, await Result.of(appending: chunks, to: self.logs.log(of: partition)).failure)
                }
            }
            return await group.reduce(into: [Int: LogError]()) { $0[$1.0] = $1.1 }
        }
        let (wereAway, sent) = state.withLock { state in
            let wereAway = parts.keys.filter(state.forwarder.isAway)
            let sent = state.forwarder.didSend(failed: Set(errors.keys))
            state.account.remove(sent)
            state.forwardedChunks += sent.count
            for partition in parts.keys { state.problems[partition] = errors[partition]?.description }
            return (wereAway, sent)
        }
        didForward(sent)
        for partition in parts.keys.sorted() {
            log(errors[partition], of: partition, wasAway: wereAway.contains(partition))
        }
        return errors.isEmpty
    }

    private func probe(_ partition: Int) async -> Bool {
        let error = await Result.of(askingFor: logs.log(of: partition)).failure
        state.withLock { state in
            state.forwarder.didProbe(answered: error == nil)
            if error == nil { state.problems[partition] = nil }
        }
        log(error, of: partition, wasAway: true)
        return error == nil
    }

    private func trim(before offset: LogOffset) async -> Bool {
        guard let spool else { preconditionFailure("only a spool is trimmed") }
        let result = await Result.of(trimming: spool, before: offset)
        state.withLock { state in
            if result.failure == nil { state.forwarder.didTrim() } else { state.forwarder.didFail() }
        }
        return result.failure == nil
    }

    // MARK: Health

    var status: DeliveryStatus {
        state.withLock { state in
            var status = DeliveryStatus(acknowledgement: acknowledgement)
            status.spooledChunks = state.account.chunks
            status.spooledBytes = state.account.bytes
            status.spooledChunksInAll = state.spooledChunks
            status.forwardedChunks = state.forwardedChunks
            guard state.forwarder.isLogAway else { return status }
            let spool = spoolState(state)
            status.isStuck = spool != .open
            status.problem = LogDelivery.text(of: state.problems, spool, state.spoolFailure)
            return status
        }
    }

    private static func text(of problems: [Int: String], _ spool: Delivery.Spool, _ failure: String?) -> String {
        let partitions = problems.keys.sorted().map(String.init).joined(separator: ", ")
        let first = problems.min { $0.key < $1.key }?.value ?? "it does not answer"
        let reason = "the log does not take what is sent to it (partition \(partitions)): \(first)"
        switch spool {
        case .open: return reason + "; it is kept on this machine's disk, and sent later (durable=disk)"
        case .full: return reason + "; and the spool is full (--spool-limit)"
        case .none:
            return reason + (failure.map { "; and the spool failed: \($0)" } ?? "; and there is no spool (--spool off)")
        }
    }
}
