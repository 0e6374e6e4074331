// SPDX-License-Identifier: Apache-2.0

package import Logging
import ServiceLifecycle
import Synchronization
package import TallyCore

/// Counts the partitions of a remote log that are this process's: does what `PartitionDuties` decides. One task reads what
/// happens and begins and ends counters; each counter has a task of its own.
package final class Consumer: Service, UnflushedSource {
    private enum Event: Sendable {
        case assigned(Set<Int>)
        case ended(Int, PartitionDuties.Ending)
        case retry(Int, failures: Int)
        case closing
    }

    private struct State {
        var duties = PartitionDuties()
        var start = StartCatchUp()
        var counters: [Int: PartitionCounter] = [:]
        /// The ends of the logs, as they were asked for last.
        var ends: [Int: LogOffset] = [:]
        /// What counters that have ended did: the numbers that are told never decrease.
        var past = Aggregation.Statistics()
        var pastStore = StoreKeeper.Health()

        /// Keeps the numbers of a counter that has ended.
        mutating func forget(_ partition: Int) {
            guard let counter = counters.removeValue(forKey: partition) else { return }
            ends[partition] = nil
            guard let progress = counter.progress else { return }
            var statistics = progress.statistics
            (statistics.rows, statistics.seenIDs, statistics.sightings, statistics.unflushedChunks) = (0, 0, 0, 0)
            past.add(statistics)
            var store = progress.store
            (store.problem, store.failuresInARow) = (nil, 0)
            pastStore.add(store)
        }
    }

    package let logs: any PartitionedLog
    private let group: any PartitionGroup
    private let surroundings: PartitionCounter.Surroundings
    private let state = Mutex(State())
    private let events: AsyncStream<Event>
    private let happened: AsyncStream<Event>.Continuation

    package init(
        logs: any PartitionedLog, group: any PartitionGroup, store: any CountStore, banners: BannerRegistry,
        clock: any WallClock, logger: Logger, configuration: CountingNode.Configuration = CountingNode.Configuration()
    ) {
        self.logs = logs
        self.group = group
        surroundings = PartitionCounter.Surroundings(
            store: store, banners: banners, clock: clock, logger: logger, configuration: configuration,
            missing: MissingChunks(logger: logger),
            didStore: { offset, partition in group.commit(offset, of: partition) })
        (events, happened) = AsyncStream.makeStream()
        banners.share()
    }

    // MARK: Running

    /// Until the process stops: then each partition is flushed a last time. A task that is cancelled drops them.
    package func run() async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { [group, happened] in
                for await partitions in group.assignments { happened.yield(.assigned(partitions)) }
            }
            tasks.addTask { [happened] in
                if (try? await gracefulShutdown()) != nil { happened.yield(.closing) }
            }
            tasks.addTask { await self.watchEnds() }
            var isClosing = false
            for await event in events {
                if case .closing = event { isClosing = true }
                for action in decide(event) { perform(action, in: &tasks) }
                if isClosing, state.withLock({ $0.duties.isAtRest }) { break }
            }
            tasks.cancelAll()
        }
        await group.leave()
    }

    private func decide(_ event: Event) -> [PartitionDuties.Action] {
        state.withLock { state in
            switch event {
            case .assigned(let partitions):
                let known = partitions.filter { (0..<logs.partitioning.count).contains($0) }
                state.start.assign(known)
                return state.duties.assign(known)
            case .ended(let partition, let ending):
                state.forget(partition)
                note(ending, of: partition)
                return state.duties.didEnd(partition, ending).map { [$0] } ?? []
            case .retry(let partition, let failures):
                return state.duties.retry(partition, failures: failures).map { [$0] } ?? []
            case .closing:
                state.duties.close()
                return []
            }
        }
    }

    private func note(_ ending: PartitionDuties.Ending, of partition: Int) {
        let place: Logger.Metadata = ["partition": "\(partition)"]
        let logger = surroundings.logger
        switch ending {
        case .released: logger.info("a partition is not counted here any more", metadata: place)
        case .outrun(let reason):
            logger.info(
                "a partition is counted again from its checkpoint on",
                metadata: place.merging(["error": "\(reason)"]) { $1 })
        case .failed(let reason):
            logger.warning(
                "a partition can't be counted now", metadata: place.merging(["error": "\(reason)"]) { $1 })
        case .stopped(let reason):
            logger.error("a partition is not counted any more", metadata: place.merging(["error": "\(reason)"]) { $1 })
        }
    }

    private func perform(_ action: PartitionDuties.Action, in tasks: inout DiscardingTaskGroup) {
        switch action {
        case .begin(let partition):
            let counter = PartitionCounter(
                partition: partition, log: logs.log(of: partition), surroundings: surroundings,
                readsAgain: { self.state.withLock { $0.duties.shouldReadAgain(partition) } })
            state.withLock { $0.counters[partition] = counter }
            tasks.addTask { [happened] in
                let ending = await counter.run { isComplete in
                    self.state.withLock { state in
                        state.duties.didCatchUp(partition, isComplete: isComplete)
                        state.start.didCatchUp(partition)
                    }
                }
                happened.yield(.ended(partition, ending))
            }
        case .end(let partition): state.withLock { $0.counters[partition] }?.stop()
        case .wait(let partition, let failures):
            tasks.addTask { [happened] in
                try? await Task.sleep(for: Backoff.delay(failures: failures, jitter: .random(in: 0...1)))
                happened.yield(.retry(partition, failures: failures))
            }
        }
    }

    /// Only those who watch the lag need them.
    private func watchEnds() async {
        while !Task.isCancelled {
            for (partition, counter) in state.withLock({ $0.counters }) {
                guard let end = await counter.end() else { continue }
                state.withLock { $0.ends[partition] = end }
            }
            try? await Task.sleep(for: .seconds(5))
        }
    }

    // MARK: Telling

    private var counters: [PartitionCounter] {
        state.withLock { state in state.counters.values.sorted { $0.partition < $1.partition } }
    }

    package func unflushed(in range: RowRange) async -> UnflushedAnswer { UnflushedAnswer(views: views(in: range)) }

    package func sightings(of banners: Set<BannerID>, in days: ClosedRange<Day>) -> [Sighting] {
        counters.flatMap { $0.sightings(of: banners, in: days) }
    }

    /// Of each partition that is counted here.
    package func views(in range: RowRange) -> [LogView] { counters.map { $0.view(in: range) } }

    /// Chunks of an import are split by partition, and each part is a node of its own.
    package func sequences(of node: NodeID) -> SequenceRanges {
        var all = SequenceRanges()
        for counter in counters {
            all.formUnion(counter.sequences(of: NodeID(process: node, partition: counter.partition)))
        }
        return all
    }

    /// How each partition that is this process's is doing, ascending.
    package var partitions: [PartitionStatus] {
        state.withLock { state in
            state.duties.assigned.sorted().map { partition in
                let counter = state.counters[partition]
                return PartitionStatus(
                    partition: partition, log: logs.log(of: partition).id, progress: counter?.progress,
                    end: state.ends[partition],
                    problem: state.duties.problem(of: partition) ?? counter?.behind)
            }
        }
    }

    /// Why something is not counted, or may not be.
    package var problems: [String] {
        let partitions = partitions.flatMap { one in
            let missing = MissingChunks.problem(one.progress?.missing ?? [:], partition: one.partition)
            return [one.problem, missing].compactMap { $0 }.map { "partition \(one.partition): \($0)" }
        }
        return (group.problem.map { ["the group of those that count: \($0)"] } ?? []) + partitions
    }

    /// What is still to be counted of what the log held when the process started, a line for each partition; empty when there
    /// is nothing. A partition that can't be counted is not among them: `problems` names it.
    package var uncountedSinceStart: [String] {
        state.withLock { state in
            if state.start.isOver { return [] }
            guard let pending = state.start.pending else {
                return ["the group of those that count: \(group.problem ?? "the partitions are not known yet")"]
            }
            return pending.sorted().compactMap { partition in
                let counter = state.counters[partition]
                if state.duties.problem(of: partition) != nil, counter?.isReading != true { return nil }
                return "partition \(partition): \(counter?.behind ?? "counting begins")"
            }
        }
    }

    /// Since the start, over all partitions.
    package var statistics: Aggregation.Statistics {
        state.withLock { state in
            state.counters.values.reduce(into: state.past) { sum, counter in
                if let own = counter.progress?.statistics { sum.add(own) }
            }
        }
    }

    package var storeHealth: StoreKeeper.Health {
        state.withLock { state in
            state.counters.values.sorted { $0.partition < $1.partition }.reduce(into: state.pastStore) { sum, counter in
                if let own = counter.progress?.store { sum.add(own) }
            }
        }
    }

    /// For tests: flushes all partitions now.
    package func flush() async { for counter in counters { await counter.flush() } }
}
