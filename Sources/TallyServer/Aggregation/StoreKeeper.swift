// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import Synchronization
package import TallyCore

/// Keeps the store up to date: does what `StoreKeeping` decides, and asks it for a flush at every interval. While the store
/// is away it retries; nothing is lost, since the log keeps it. When it was away at the start, it is met first: only a store that
/// belongs to the log is written to.
///
/// One task does all of it, one thing after the other; the others only wake it.
package final class StoreKeeper: Service {
    package struct Health: Equatable, Sendable {
        package var flushes = 0
        package var rowsWritten = 0
        package var failures = 0
        /// Why the last attempt failed; nil since a flush succeeded.
        package var problem: String?
        /// Failures since the last flush that succeeded.
        package var failuresInARow = 0
        /// When a flush last succeeded; nil before the first.
        package var lastFlush: Timestamp?
        package var conflicts = StoreConflicts()
        /// Whose counts are in the store beside those of this log, when it was asked last.
        package var otherLogs = 0

        package init() {}

        /// What does not keep events from being counted.
        package var problems: [String] { [problem, conflicts.problem].compactMap { $0 } }
    }

    private struct Requests {
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isStopped = false
    }

    private let log: any EventLog
    private let store: any CountStore
    private let banners: BannerRegistry
    private let aggregation: Aggregation
    private let checkpointCopy: (any CheckpointCopy)?
    /// Everything up to here is in the store.
    private let didSave: @Sendable (LogOffset) -> Void
    /// nil once the store and the log are known to belong together.
    private let agreement: Mutex<StoreAgreement?>
    private let refusal = Mutex<StartError?>(nil)
    /// Whether other servers may count the same log.
    private let isShared: Bool
    private let overtaken = Mutex<String?>(nil)
    private let retention: Retention
    /// What was in the log at the start may have been admitted while more was kept.
    private let startPosition: LogOffset
    private let expired = Mutex(Horizon.none)
    private let interval: Duration
    private let clock: any WallClock
    private let logger: Logger
    private let requests = Mutex(Requests())
    private let keeping = Mutex(StoreKeeping())
    private let healthSoFar = Mutex(Health())

    init(
        log: any EventLog, store: any CountStore, banners: BannerRegistry, aggregation: Aggregation,
        checkpointCopy: (any CheckpointCopy)?, absence: NodeStart.Absence?, retention: Retention, interval: Duration,
        clock: any WallClock, logger: Logger, isShared: Bool = false,
        didSave: @escaping @Sendable (LogOffset) -> Void = { _ in }
    ) {
        self.log = log
        self.store = store
        self.banners = banners
        self.aggregation = aggregation
        self.interval = interval
        self.clock = clock
        self.logger = logger
        self.isShared = isShared
        self.checkpointCopy = checkpointCopy
        self.didSave = didSave
        self.retention = retention
        self.startPosition = aggregation.withAggregator { $0.position }
        self.agreement = Mutex(absence?.agreement)
        if let absence { note(.unavailable(absence.reason)) }
    }

    /// Why `run` has returned by itself: chunks are missing here, and another server has counted further. Counting begins again from the
    /// store. nil otherwise.
    var overtaking: String? { overtaken.withLock { $0 } }

    package var health: Health { healthSoFar.withLock { $0 } }

    /// Flushes now, and returns after one attempt; at once when the keeper has stopped.
    package func flush() async {
        await withCheckedContinuation { continuation in
            let isStopped = requests.withLock { requests in
                if !requests.isStopped { requests.waiting.append(continuation) }
                return requests.isStopped
            }
            if isStopped { continuation.resume() } else { aggregation.loadNeeded.send() }
        }
    }

    /// Works until the process stops, and flushes a last time then. A task that is cancelled flushes nothing: another server
    /// counts the log from now on.
    /// - Throws: `StartError` when a store that was away at the start turns out not to belong to the log.
    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.flushRegularly() }
            await withGracefulShutdownHandler {
                for await _ in aggregation.loadNeeded.signals {
                    await work()
                    if hasEnded { break }
                }
            } onGracefulShutdown: {
                self.aggregation.loadNeeded.finish()
            }
            group.cancelAll()
            let isOfNoUse = Task.isCancelled || overtaken.withLock { $0 != nil }
            let waiting = requests.withLock { requests in
                requests.isStopped = true
                defer { if isOfNoUse { requests.waiting = [] } }
                return isOfNoUse ? requests.waiting : []
            }
            for continuation in waiting { continuation.resume() }
            if !isOfNoUse { await work(flushes: true) }
        }
        if let refusal = refusal.withLock({ $0 }) { throw refusal }
    }

    private var hasEnded: Bool { refusal.withLock { $0 != nil } || overtaken.withLock { $0 != nil } }

    /// At every whole interval of the wall clock, and sooner after a failure.
    private func flushRegularly() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: nextFlush) } catch { return }
            await flush()
        }
    }

    private var nextFlush: Duration {
        let intervalMilliseconds = interval.milliseconds
        let untilBoundary = intervalMilliseconds - max(0, clock.now().milliseconds) % intervalMilliseconds
        let failures = health.failuresInARow
        let boundary = Duration.milliseconds(untilBoundary)
        return failures == 0 ? boundary : min(boundary, Backoff.delay(failures: failures, jitter: .random(in: 0...1)))
    }

    /// - Parameter flushes: also when nobody waits for it.
    private func work(flushes: Bool = false) async {
        let waiting = requests.withLock { requests in
            defer { requests.waiting = [] }
            return requests.waiting
        }
        do throws(StoreError) {
            try await meetStore()
            if flushes || !waiting.isEmpty {
                try await flushNow()
            } else {
                try await load()
            }
        } catch {
            decide { $0.didFail(for: &$1) }
            note(error)
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Asks a store that was away at the start whether it belongs to the log, and for its banners.
    private func meetStore() async throws(StoreError) {
        guard let agreement = agreement.withLock({ $0 }) else { return }
        if let refusal = refusal.withLock({ $0 }) { throw .unavailable("\(refusal)") }
        if let refused = agreement.refusal(stored: try await store.checkpoint(of: log.id)) {
            refusal.withLock { $0 = refused }
            throw .unavailable("\(refused)")
        }
        try await banners.completeFromStore()
        self.agreement.withLock { $0 = nil }
        logger.info("the store that was away at the start is back")
    }

    private func flushNow() async throws(StoreError) {
        aggregation.setFlushWaiting(true)
        defer { aggregation.setFlushWaiting(false) }
        keeping.withLock { $0.requestFlush() }
        try await performAll()
        // What was registered while the store was away is saved, too, when there is nothing to flush.
        try await banners.saveUnsaved()
        try await expire()
        let others = try await store.logs().count { $0 != log.id }
        aggregation.setAlone(others == 0)
        if others > 0 { banners.share() }
        healthSoFar.withLock { health in
            health.problem = nil
            health.failuresInARow = 0
            health.otherLogs = others
        }
    }

    /// Makes old counts coarser, once an hour of the log's time.
    private func expire() async throws(StoreError) {
        let checkpoint = aggregation.withAggregator { $0.checkpoint }
        guard checkpoint.upTo >= startPosition, let horizon = retention.horizon(at: checkpoint),
            expired.withLock({ $0 != horizon })
        else { return }
        try await store.expire(before: horizon, of: log.id)
        expired.withLock { $0 = horizon }
    }

    /// Loads rows until none is left or a flush is asked for, since new ones may come as fast as they are loaded.
    private func load() async throws(StoreError) {
        while requests.withLock({ $0.waiting.isEmpty }), let action = decide({ $0.next(for: &$1) }) {
            try await perform(action)
        }
    }

    private func performAll() async throws(StoreError) {
        while let action = decide({ $0.next(for: &$1) }) { try await perform(action) }
    }

    private func decide<Value: Sendable>(_ body: (inout StoreKeeping, inout Aggregator) -> Value) -> Value {
        aggregation.withAggregator { aggregator in keeping.withLock { body(&$0, &aggregator) } }
    }

    private func perform(_ action: StoreKeeping.Action) async throws(StoreError) {
        switch action {
        case .load(let keys):
            let rows = try await store.rows(of: log.id, at: keys)
            decide { $0.didLoad(rows, into: &$1) }
        case .merge(let rows):
            aggregation.setFlushWaiting(false)
            // Only now that it is decided which chunks are flushed: their banners are never noted again.
            try await banners.saveUnsaved()
            note(try await store.merge(rows, of: log.id))
            decide { $0.didWrite(for: &$1) }
            healthSoFar.withLock { $0.rowsWritten += rows.count }
        case .note(let sightings):
            try await store.merge(sightings)
            decide { $0.didWrite(for: &$1) }
        case .save(let checkpoint):
            try await store.save(checkpoint, of: log.id)
            decide { $0.didWrite(for: &$1) }
            didSave(checkpoint.upTo)
            healthSoFar.withLock { health in
                health.flushes += 1
                health.lastFlush = clock.now()
            }
        case .readCheckpoint: try await readCheckpoint()
        case .trim(let offset):
            await trimLog(before: offset)
            keeping.withLock { $0.didTrim() }
        }
    }

    /// Chunks are missing: another server may have them, or an operator may have confirmed that they are lost.
    private func readCheckpoint() async throws(StoreError) {
        let stored = try await store.checkpoint(of: log.id)
        guard let upTo = decide({ $0.didRead(checkpoint: stored, for: &$1) }) else { return }
        let reason = "chunks are missing here, and another server has counted the log \(log.id) up to offset \(upTo)"
        if isShared { return overtaken.withLock { $0 = reason } }
        throw .unavailable("\(reason), though no other should: start this one again")
    }

    /// Counting goes on: which of two sums is right, an operator has to find out.
    private func note(_ conflicts: RowConflicts) {
        if conflicts.isEmpty { return }
        let new = healthSoFar.withLock { $0.conflicts.add(conflicts, of: log.id, at: clock.now()) }
        for conflict in new {
            logger.error(
                "a row contradicts the stored row of the same offset",
                metadata: [
                    "log": "\(log.id)", "banner": "\(conflict.key.banner)", "kind": "\(conflict.key.kind)",
                    "up_to": "\(conflict.upTo)", "counts": "\(conflict.countsText)",
                ])
        }
    }

    private func note(_ error: StoreError) {
        let failures = healthSoFar.withLock { health in
            health.failures += 1
            health.failuresInARow += 1
            health.problem = error.description
            return health.failuresInARow
        }
        // The 1st, 2nd, 4th, 8th … in a row: an outage of a night shall not fill the disk with messages.
        guard failures & (failures - 1) == 0 else { return }
        logger.warning(
            "the store did not take the counts; the log keeps them",
            metadata: ["error": "\(error)", "failures": "\(failures)"])
    }

    private func trimLog(before offset: LogOffset) async {
        if let checkpointCopy {
            let checkpoint = aggregation.withAggregator { $0.checkpoint }
            do throws(DiskError) {
                try await checkpointCopy.write(checkpoint, of: log.id)
            } catch {
                // The copy that is there still fits a log that is not trimmed.
                return logger.warning(
                    "the checkpoint could not be copied; the log is kept", metadata: ["error": "\(error)"])
            }
        }
        do throws(LogError) {
            try await log.trim(before: offset)
        } catch {
            logger.warning("the log could not drop what is stored", metadata: ["error": "\(error)"])
        }
    }
}

extension Duration {
    /// Whole milliseconds, at least 1.
    fileprivate var milliseconds: Int64 {
        max(1, components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000)
    }
}
