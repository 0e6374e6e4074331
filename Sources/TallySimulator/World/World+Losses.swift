// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Brokers that lose what they have acknowledged, and the operator who finds out.
extension World {
    /// A chunk is gone from the brokers. It is not the last one, so that the log's end stays where it is.
    func loseChunk() {
        let index = Int(number(0...Int64(brokers.partitions.count - 1)))
        let partition = brokers.partitions[index]
        guard partition.first < partition.end else { return }
        let offset = LogOffset(number(offsetsToLose(of: partition)))
        let chunk = partition.chunks[Int(offset.value - 1)]
        guard brokers.acknowledged.contains(ChunkName(chunk)), !partition.lost.contains(offset),
            partition.chunks.count(where: { ChunkName($0) == ChunkName(chunk) }) == 1
        else { return }
        brokers.partitions[index].lost.insert(offset)
        auditor.lost(chunk, at: offset, of: partition.account)
        counters[.lostChunks] += 1
        history.note("lost", Int64(index), offset.value)
        plan(.operatorLooks(partition: index), in: number(10_000...300_000))
    }

    /// The offsets to choose a lost chunk from: in half of the cases those that one reader has read and another has not, otherwise mostly
    /// the latest.
    private func offsetsToLose(of partition: SimulatedBrokers.Partition) -> ClosedRange<Int64> {
        let positions = machines.compactMap { $0.process?.counting[partition.account]?.aggregator?.position.value }
        let unread = max(partition.first.value, (positions.min() ?? 0) + 1)
        let read = min(positions.max() ?? 0, partition.end.value - 1)
        if unread <= read, random.chance(50) { return unread...read }
        let recent = max(partition.first.value, partition.end.value - 6)
        return (random.chance(80) ? recent : partition.first.value)...partition.end.value - 1
    }

    /// The brokers drop the beginning of a partition, as the retention of a topic does: at most what is counted.
    func dropCounted() {
        let index = Int(number(0...Int64(brokers.partitions.count - 1)))
        let partition = brokers.partitions[index]
        let upTo = store.counts.checkpoint(of: partition.log)?.upTo ?? .none
        guard partition.first <= upTo else { return }
        brokers.partitions[index].first = LogOffset(number(partition.first.value + 1...upTo.value + 1))
        auditor.droppedIDs(of: partition.account)
        history.note("retention", Int64(index), brokers.partitions[index].first.value)
    }

    /// Confirms that chunks are lost when some server misses them, and neither another server nor the store has them.
    func operate(_ index: Int) {
        let partition = brokers.partitions[index]
        let readers = machines.filter { $0.process?.counting[partition.account]?.aggregator != nil }
        let chunks = readers.map { missing(by: $0, of: partition) }
        let gone = Set(chunks.joined()).filter { auditor.isGone($0, of: partition.account, store) }
        if !gone.isEmpty {
            confirm(gone, of: partition)
        } else if readers.count > 1, chunks.allSatisfy({ !$0.isEmpty }) {
            // Each misses a chunk that only another has, so that none stores. What the restarted one alone had is gone then.
            kill(readers[readers.count - 1])
        }
        plan(.operatorLooks(partition: index), in: number(10_000...300_000))
    }

    private func missing(by machine: Machine, of partition: SimulatedBrokers.Partition) -> Set<ChunkName> {
        let missing = machine.process?.counting[partition.account]?.aggregator?.missing ?? [:]
        return Set(
            missing.flatMap { node, numbers in
                numbers.ranges.joined().map { ChunkName(node: node, sequence: $0) }
            })
    }

    private func confirm(_ gone: Set<ChunkName>, of partition: SimulatedBrokers.Partition) {
        if store.isAway { return }
        var checkpoint = store.counts.checkpoint(of: partition.log) ?? .start
        let before = checkpoint
        for name in gone {
            checkpoint.confirmedMissing[name.node, default: SequenceRanges()].formUnion(
                SequenceRanges(name.sequence...name.sequence))
        }
        if checkpoint == before { return }
        store.counts.save(checkpoint, of: partition.log)
        counters[.confirmedLosses] += 1
        history.note("confirmed", Int64(partition.account))
    }
}
