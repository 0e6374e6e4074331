// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import Synchronization
import TallyCore

/// Counts one partition, from the store's checkpoint on, until it is told to stop, can't go on, or the process stops. Only
/// in the last case what is not flushed is flushed: elsewhere somebody else reads the same chunks.
final class PartitionCounter: Sendable {
    /// What all partitions of a process have in common.
    struct Surroundings: Sendable {
        let store: any CountStore
        let banners: BannerRegistry
        let clock: any WallClock
        let logger: Logger
        let configuration: CountingNode.Configuration
        let missing: MissingChunks
        /// Everything up to this offset of a partition is in the store.
        let didStore: @Sendable (LogOffset, Int) -> Void
    }

    private enum State {
        case replaying(LogOffset, end: LogOffset)
        case counting(Aggregation, StoreKeeper)
    }

    /// The time up to which the log is counted, and what was wrong with the last read.
    private struct Reading {
        var catchUp: CatchUp
        var problem: String?
    }

    let partition: Int
    private let log: any EventLog
    private let surroundings: Surroundings
    private let state = Mutex(State.replaying(.none, end: .none))
    private let created = ContinuousClock.now
    private let reading = Mutex(Reading(catchUp: CatchUp(at: .zero)))
    private let release = Signal()
    /// Whether counting ends, to begin again, since a chunk is missing.
    private let readsAgain: @Sendable () -> Bool

    /// - Parameter readsAgain: asked when a chunk is missing.
    init(
        partition: Int, log: any EventLog, surroundings: Surroundings, readsAgain: @escaping @Sendable () -> Bool
    ) {
        self.partition = partition
        self.log = log
        self.surroundings = surroundings
        self.readsAgain = readsAgain
    }

    /// It is another's from now on.
    func stop() { release.finish() }

    /// - Parameter didCatchUp: called when an end of the log was reached, perhaps often, and told whether all its chunks were read.
    func run(didCatchUp: @escaping @Sendable (_ isComplete: Bool) -> Void) async -> PartitionDuties.Ending {
        await withTaskGroup(of: PartitionDuties.Ending?.self) { group in
            group.addTask { await self.count(didCatchUp) }
            group.addTask {
                for await _ in self.release.signals {}
                return .released
            }
            group.addTask {
                try? await gracefulShutdown()
                // What counts already ends by itself, behind a last flush.
                return self.aggregation == nil ? .released : nil
            }
            var ending: PartitionDuties.Ending?
            while ending == nil, let next = await group.next() { ending = next }
            group.cancelAll()
            return ending ?? .released
        }
    }

    private func count(_ didCatchUp: @escaping @Sendable (Bool) -> Void) async -> PartitionDuties.Ending {
        do throws(StoreError) {
            try await surroundings.banners.completeFromStore()
        } catch {
            return .failed(error.description)
        }
        let aggregator: Aggregator
        do throws(StartError) {
            aggregator = try await Replay.run(
                log: log, store: surroundings.store, configuration: surroundings.configuration.aggregator,
                didLoseIDs: noteLostIDs,
                progress: { position, end in state.withLock { $0 = .replaying(position, end: end) } },
                noteBanners: surroundings.banners.note)
        } catch {
            return Task.isCancelled ? .released : PartitionDuties.Ending(error)
        }
        return await keepAndFollow(aggregator, didCatchUp)
    }

    private func noteLostIDs(_ offsets: Range<LogOffset>) {
        surroundings.logger.warning(
            "the log has dropped chunks whose event ids are still needed: an event of them that is sent again counts again",
            metadata: ["partition": "\(partition)", "first": "\(offsets.lowerBound)", "next": "\(offsets.upperBound)"])
    }

    private func keepAndFollow(
        _ aggregator: Aggregator, _ didCatchUp: @escaping @Sendable (Bool) -> Void
    ) async -> PartitionDuties.Ending {
        let aggregation = Aggregation(
            aggregator: aggregator, banners: surroundings.banners,
            unresolvedRowsLimit: surroundings.configuration.unresolvedRowsLimit)
        if let ending = endingForMissing(aggregation) { return ending }
        let keeper = keeper(of: aggregation)
        state.withLock { $0 = .counting(aggregation, keeper) }
        didCatchUp(aggregation.missing.isEmpty)
        return await withTaskGroup(of: PartitionDuties.Ending.self) { group in
            group.addTask {
                do { try await keeper.run() } catch { return .stopped("\(error)") }
                return keeper.overtaking.map { .outrun($0) } ?? .released
            }
            group.addTask {
                let ending = await self.follow(aggregation, didCatchUp)
                // What stands before the damage is counted, and nobody will come further.
                if case .stopped = ending { await keeper.flush() }
                return ending
            }
            let ending = await group.next() ?? .released
            group.cancelAll()
            return ending
        }
    }

    private func keeper(of aggregation: Aggregation) -> StoreKeeper {
        StoreKeeper(
            log: log, store: surroundings.store, banners: surroundings.banners, aggregation: aggregation,
            checkpointCopy: nil, absence: nil, retention: surroundings.configuration.retention,
            interval: surroundings.configuration.flushEvery, clock: surroundings.clock, logger: surroundings.logger,
            isShared: true, didSave: { [surroundings, partition] upTo in surroundings.didStore(upTo, partition) })
    }

    // MARK: Following the log

    private static let bytesPerRead = 4 << 20
    /// How long a reading waits for more before it looks around.
    private static let patience = Duration.milliseconds(250)

    private func follow(
        _ aggregation: Aggregation, _ didCatchUp: @escaping @Sendable (Bool) -> Void
    ) async -> PartitionDuties.Ending {
        var failures = 0
        while !Task.isCancelled {
            switch await readOn(aggregation) {
            case .success(let step):
                failures = 0
                if let ending = endingForMissing(aggregation) { return ending }
                if step.hasCaughtUp { didCatchUp(aggregation.missing.isEmpty) }
                if !step.mayHaveMore { await waitForMore(aggregation) }
            case .failure(let error):
                if let ending = PartitionDuties.Ending(whileReading: error) { return ending }
                failures += 1
                let pause = min(.seconds(2), Backoff.delay(failures: failures, jitter: .random(in: 0...1)))
                try? await Task.sleep(for: pause)
            }
        }
        return .released
    }

    /// Says what is missing.
    /// - Returns: not nil when counting is to begin again, since the next reading may find what is missing.
    private func endingForMissing(_ aggregation: Aggregation) -> PartitionDuties.Ending? {
        let missing = aggregation.missing
        surroundings.missing.note(missing, of: log.id, partition: partition)
        guard !missing.isEmpty, readsAgain() else { return nil }
        return .outrun("chunks are missing: \(MissingChunks.names(missing).joined(separator: " "))")
    }

    private struct Step {
        /// There may be more to read at once.
        var mayHaveMore = true
        /// Counting has reached an end of the log.
        var hasCaughtUp = false
    }

    private func readOn(_ aggregation: Aggregation) async -> Result<Step, LogError> {
        // More would take memory without end, or keep a flush from beginning; the log keeps it meanwhile.
        if aggregation.isOverloaded {
            try? await Task.sleep(for: .milliseconds(20))
            return .success(Step())
        }
        do throws(LogError) {
            await askForEnd()
            let began = created.duration(to: .now)
            let entries = try await log.read(
                from: aggregation.positions.counted.next, maximumBytes: PartitionCounter.bytesPerRead)
            aggregation.apply(entries)
            let counted = aggregation.positions.counted
            return reading.withLock { reading in
                reading.problem = nil
                let hasCaughtUp = reading.catchUp.didRead(
                    upTo: counted, foundNothing: entries.isEmpty, began: began)
                return .success(Step(mayHaveMore: !entries.isEmpty, hasCaughtUp: hasCaughtUp))
            }
        } catch {
            reading.withLock { $0.problem = error.description }
            return .failure(error)
        }
    }

    /// What keeps the log from answering keeps it from being read, too, and is reported there.
    private func askForEnd() async {
        let now = created.duration(to: .now)
        guard reading.withLock({ $0.catchUp.asksForEnd(at: now) }), let end = try? await log.end() else { return }
        reading.withLock { $0.catchUp.didLearn(end: end, at: now) }
    }

    private func waitForMore(_ aggregation: Aggregation) async {
        guard let waiting = log as? any WaitingLog else {
            try? await Task.sleep(for: .milliseconds(10))
            return
        }
        await waiting.wait(for: aggregation.positions.counted.next, within: PartitionCounter.patience)
    }

    // MARK: Telling

    private var aggregation: Aggregation? {
        state.withLock { if case .counting(let aggregation, _) = $0 { aggregation } else { nil } }
    }

    /// A reader should reach the end this often. If it does not, a read is stuck, the log grows faster than it is read, or the process
    /// was suspended.
    private static let toleratedLag = Duration.seconds(2)

    /// Something of the log has been read, or there is nothing to read.
    var isReading: Bool {
        state.withLock { if case .replaying(_, let end) = $0 { end > .none } else { true } }
    }

    /// Why there may be more in the log; nil at its end.
    var behind: String? {
        let replaying = state.withLock { state -> String? in
            guard case .replaying(let position, let end) = state else { return nil }
            return "the log is read from the last checkpoint on: offset \(position) of \(end)"
        }
        if let replaying { return replaying }
        let reading = reading.withLock { $0 }
        if let problem = reading.problem { return problem }
        let lag = created.duration(to: .now) - reading.catchUp.countedUpTo
        guard lag > PartitionCounter.toleratedLag else { return nil }
        return "the end of the log was last reached \(lag.components.seconds) seconds ago"
    }

    func view(in range: RowRange) -> LogView {
        // Before the rows: whoever has read the log in between is better than he says.
        let behind = behind
        guard let aggregation else {
            return LogView(
                log: log.id, partition: partition, position: .none, time: .epoch, behind: behind, rows: [])
        }
        return aggregation.view(in: range, of: log.id, partition: partition, behind: behind)
    }

    /// How far it is; nil while it begins.
    var progress: PartitionProgress? {
        state.withLock { state in
            guard case .counting(let aggregation, let keeper) = state else { return nil }
            let positions = aggregation.positions
            return PartitionProgress(
                counted: positions.counted, stored: positions.stored, time: aggregation.time,
                statistics: aggregation.statistics, store: keeper.health, missing: aggregation.missing)
        }
    }

    func sequences(of node: NodeID) -> SequenceRanges { aggregation?.sequences(of: node) ?? SequenceRanges() }

    func sightings(of banners: Set<BannerID>, in days: ClosedRange<Day>) -> [Sighting] {
        aggregation?.sightings(of: banners, in: days) ?? []
    }

    func end() async -> LogOffset? { try? await log.end() }

    /// For tests.
    func flush() async {
        let keeper = state.withLock { if case .counting(_, let keeper) = $0 { keeper } else { nil as StoreKeeper? } }
        await keeper?.flush()
    }
}
