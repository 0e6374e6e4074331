// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A chunk that the brokers had acknowledged and have lost: who has read it all the same, who has heard of it, and what those that lack
/// it do. It shares no code with the ledger of the aggregator.
extension Auditor {
    struct Loss {
        let name: ChunkName
        let offset: Int64
    }

    /// What one attempt to count a log was given to read.
    struct Reader {
        let account: Int
        /// Up to here it has counted from the beginning on.
        let checkpoint: Int64
        var position: Int64
        /// The lost chunks that it neither read nor found in its checkpoint.
        var lacks: Set<ChunkName>
        /// Of those, the ones that a chunk which it has read asserts to be in the log.
        var heardOf: Set<ChunkName> = []
        /// What it was told to be confirmed.
        var confirmed: Set<ChunkName>
        /// Whether it began at a checkpoint that covers a lost chunk, whose event ids it could not read again.
        var lacksIDs: Bool
        /// The ends that the log had when reads began and when the end was asked for, since the reader caught up last.
        var ends: [Duration: Int64] = [:]
    }

    // MARK: Reading

    /// - Parameter checkpoint: the store's; nil when there is none.
    func began(_ id: CountingID, from checkpoint: Checkpoint?) {
        let checkpoint = checkpoint ?? .start
        let all = losses[id.account] ?? []
        let lost = all.filter { !has(checkpoint.sequences, $0.name) }
        let window = checkpoint.readFrom.value..<checkpoint.upTo.next.value
        readers[id] = Reader(
            account: id.account, checkpoint: checkpoint.upTo.value, position: checkpoint.readFrom.value - 1,
            lacks: Set(lost.map(\.name)), confirmed: names(checkpoint.confirmedMissing),
            lacksIDs: all.contains { window.contains($0.offset) })
    }

    func ended(_ id: CountingID) { readers[id] = nil }

    /// These entries went to a reader.
    func delivered(_ entries: [LogEntry], to id: CountingID) {
        for entry in entries where entry.offset.value > readers[id]?.position ?? .max {
            readers[id]?.position = entry.offset.value
            readers[id]?.lacks.remove(ChunkName(entry.chunk))
            readers[id]?.heardOf.remove(ChunkName(entry.chunk))
            // What stands before the checkpoint was judged when that was made.
            guard let reader = readers[id], entry.offset.value > reader.checkpoint,
                let unsettled = entry.chunk.unsettled
            else { continue }
            for name in reader.lacks
            where name.node == entry.chunk.node && name.sequence < entry.chunk.sequence
                && !unsettled.contains(name.sequence)
            {
                readers[id]?.heardOf.insert(name)
            }
        }
    }

    /// The brokers have a chunk no more.
    func lost(_ chunk: Chunk, at offset: LogOffset, of account: Int) {
        let loss = Loss(name: ChunkName(chunk), offset: offset.value)
        losses[account, default: []].append(loss)
        for (id, reader) in readers where id.account == account && reader.position < offset.value {
            if reader.checkpoint < offset.value {
                readers[id]?.lacks.insert(loss.name)
            } else {
                readers[id]?.lacksIDs = true
            }
        }
    }

    /// A chunk that was lost stands in the log again, at another offset: the sums in between are not the log's any more.
    func returned(_ chunk: Chunk, to account: Int) {
        let wasLost = losses[account]?.contains { $0.name == ChunkName(chunk) } == true
        if wasLost { accounts[account].isRetired = true }
    }

    /// A reader that lacks chunks or event ids can't be held to what the log should hold.
    func lacksSomething(_ id: CountingID) -> Bool {
        readers[id].map { !$0.lacks.isEmpty || $0.lacksIDs } ?? false
    }

    /// The brokers dropped chunks that are counted. Readers that begin again know fewer event ids than those that go on.
    func droppedIDs(of account: Int) { accounts[account].isRetired = true }

    /// A reader counts without the ids of these offsets.
    func lostIDs(_ offsets: Range<LogOffset>, _ id: CountingID) {
        guard let reader = readers[id] else { return }
        require(accounts[id.account].isRetired, "ids are given up that the log should have")
        require(
            offsets.upperBound.value <= reader.checkpoint + 1,
            "the chunks before offset \(offsets.upperBound) are passed over, and only \(reader.checkpoint) are counted")
        readers[id]?.lacksIDs = true
        readers[id]?.position = max(reader.position, offsets.upperBound.value - 1)
    }

    // MARK: What a reader finds missing

    /// Nothing but what was lost is ever missing, and nothing that was confirmed.
    func checkMissing(_ missing: [NodeID: SequenceRanges], _ id: CountingID) {
        if missing.isEmpty { return }
        guard let reader = readers[id] else { return }
        for name in names(missing) {
            require(reader.lacks.contains(name), "sequence \(name.sequence) is taken for missing, and was not lost")
            require(
                !reader.confirmed.contains(name), "sequence \(name.sequence) is missing, though its loss was confirmed")
        }
    }

    /// A reader has the store's checkpoint while chunks are missing.
    func told(_ checkpoint: Checkpoint?, to id: CountingID) {
        readers[id]?.confirmed.formUnion(names(checkpoint?.confirmedMissing ?? [:]))
    }

    /// It begins to write, or goes on to.
    func writes(_ what: String, _ id: CountingID) {
        guard let reader = readers[id] else { return }
        let unconfirmed = reader.heardOf.subtracting(reader.confirmed)
        require(
            unconfirmed.isEmpty,
            "\(what) is written without sequence \(unconfirmed.first?.sequence ?? 0), which the log should have")
        let covers = (losses[id.account] ?? []).contains {
            reader.lacks.contains($0.name) && $0.offset <= reader.position
        }
        // The reader can't know of it, or was told that it is lost: the log is not what was sent any more. Ids that it could not read
        // again may count once more.
        if covers || reader.lacksIDs { accounts[id.account].isRetired = true }
    }

    func saves(_ checkpoint: Checkpoint, _ id: CountingID) {
        writes("a checkpoint", id)
        guard let reader = readers[id] else { return }
        let forgotten = reader.confirmed.subtracting(names(checkpoint.confirmedMissing))
        require(forgotten.isEmpty, "a checkpoint forgets a confirmed loss")
    }

    // MARK: The operator

    /// The lost chunks that no reader has, and no checkpoint covers.
    func isGone(_ name: ChunkName, of account: Int, _ store: SimulatedStore) -> Bool {
        if has(store.counts.checkpoint(of: accounts[account].log)?.sequences ?? [:], name) { return false }
        return readers.values.allSatisfy { $0.account != account || $0.lacks.contains(name) }
    }

    private func has(_ numbers: [NodeID: SequenceRanges], _ name: ChunkName) -> Bool {
        numbers[name.node]?.contains(name.sequence) == true
    }

    private func names(_ numbers: [NodeID: SequenceRanges]) -> Set<ChunkName> {
        var names: Set<ChunkName> = []
        for (node, ranges) in numbers {
            for sequence in ranges.ranges.joined() { names.insert(ChunkName(node: node, sequence: sequence)) }
        }
        return names
    }
}
