// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What is stored and what is in memory, against what the log says.
extension Auditor {
    /// The rows of a flush: each is the sum of the log up to its offset.
    func merging(_ rows: [Row], of account: Int) {
        if accounts[account].isRetired { return }
        for row in rows { check(row, of: account, "a flush writes") }
    }

    private func check(_ row: Row, of account: Int, _ what: String) {
        let history = accounts[account].reference.rows[row.key]
        require(
            history?.isEqual(to: row.counts, upTo: row.upTo.value) ?? (row.counts.total == 0),
            "\(what) \(row.key) up to offset \(row.upTo) as \(row.counts.total), but the log says "
                + "\(history?.total(upTo: row.upTo.value) ?? 0)")
        require(row.upTo.value <= accounts[account].end, "\(what) a row up to an offset that the log does not hold")
    }

    /// Servers that count as they should never contradict each other.
    func merged(_ conflicts: RowConflicts, of account: Int) {
        if accounts[account].isRetired { return }
        require(conflicts.isEmpty, "a flush contradicts what is stored: \(conflicts.first)")
    }

    /// A row was given that contradicts this stored one.
    func contradicted(_ stored: Row, by given: Row, of log: LogID, _ conflicts: RowConflicts, _ store: SimulatedStore) {
        let expected = RowConflict(key: stored.key, upTo: stored.upTo, stored: stored.counts, given: given.counts)
        require(conflicts.count == 1 && conflicts.first == [expected], "a conflict is not reported: \(expected)")
        require(store.counts.row(of: log, at: stored.key) == stored, "a conflict replaces the stored row")
    }

    /// A checkpoint is in the store: so must be all rows up to it.
    func saved(_ checkpoint: Checkpoint, of account: Int, _ store: SimulatedStore) {
        if accounts[account].isRetired { return }
        require(checkpoint.upTo.value <= accounts[account].end, "a checkpoint is ahead of the log")
        require(checkpoint.readFrom <= checkpoint.upTo.next, "a checkpoint leaves out a part of the log")
        require(checkpoint.settings == swarm.settings, "a checkpoint does not have the settings of its log")
        checkStored(upTo: checkpoint.upTo.value, account, store)
    }

    private func checkStored(upTo offset: Int64, _ account: Int, _ store: SimulatedStore) {
        let changes = accounts[account].reference.changes
        var position = accounts[account].storedChanges
        while position < changes.count, changes[position].offset <= offset {
            let (needed, key) = changes[position]
            let stored = store.counts.row(of: accounts[account].log, at: key)?.upTo.value ?? 0
            require(
                stored >= needed, "the checkpoint \(offset) is ahead of \(key), which is stored up to \(stored) only")
            position += 1
        }
        accounts[account].storedChanges = position
        checkSightings(upTo: offset, account, store)
    }

    private func checkSightings(upTo offset: Int64, _ account: Int, _ store: SimulatedStore) {
        while accounts[account].storedSightings < offset {
            accounts[account].storedSightings += 1
            let chunk = accounts[account].chunk(at: LogOffset(accounts[account].storedSightings))
            for sighting in chunk?.sightings ?? [] {
                require(
                    store.counts.rank(at: sighting.place) >= sighting.rank,
                    "the checkpoint \(offset) is ahead of \(sighting), which is not stored")
            }
        }
    }

    /// An old copy of the store is in its place.
    func restored(_ store: SimulatedStore) {
        for index in accounts.indices {
            let upTo = store.counts.checkpoint(of: accounts[index].log)?.upTo.value ?? 0
            let changes = accounts[index].reference.changes
            accounts[index].storedChanges = changes.firstIndex { $0.offset > upTo } ?? changes.count
            accounts[index].storedSightings = upTo
        }
    }

    /// What an aggregator holds and what is stored are together what it has read of the log.
    func checkMemory(_ aggregator: Aggregator, _ account: Int, _ store: SimulatedStore) {
        if accounts[account].isRetired { return }
        let position = aggregator.position.value
        let isBehind = accounts[account].node != nil && position != accounts[account].end
        require(!isBehind, "offset \(position) was counted of \(accounts[account].end)")
        let unflushed = Dictionary(
            aggregator.unflushed(in: .everything).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        for (key, history) in accounts[account].reference.rows {
            let stored = store.counts.row(of: accounts[account].log, at: key)
            let row = unflushed[key]?.merged(with: stored, layout: swarm.layout) ?? stored
            require(
                row.map { history.isEqual(to: $0.counts, upTo: max(position, $0.upTo.value)) }
                    ?? (history.total(upTo: position) == 0),
                "\(key) is \(row?.counts.total ?? 0) in memory and store, but the log says \(history.total(upTo: position))"
            )
        }
    }

    /// When nothing is left to do: every row of the store is the sum of the whole log, and there is no other; and so are the
    /// sightings.
    func checkEnd(_ store: SimulatedStore) {
        let sightings = store.counts.sightings(of: nil, in: Day.first...Day.last)
        let wereSent = sightings.allSatisfy { sighting in accounts.contains { $0.visitors.contains(sighting) } }
        require(wereSent, "at the end a visitor is stored that nobody sent")
        for account in accounts.indices where !accounts[account].isRetired {
            let log = accounts[account].log
            let rows = store.counts.rows(in: .everything, layout: swarm.layout).filter { $0.log == log }
            require(rows.count == accounts[account].reference.rows.count, "the store has \(rows.count) rows of a log")
            for stored in rows {
                let history = accounts[account].reference.rows[stored.row.key]
                require(
                    history?.isEqual(to: stored.row.counts, upTo: accounts[account].end) ?? false,
                    "at the end \(stored.row.key) is \(stored.row.counts.total)")
            }
            let areStored = accounts[account].sightings.allSatisfy { store.counts.rank(at: $0.key) >= $0.value }
            require(areStored, "at the end an acknowledged visitor is not stored")
            let areBalanced = accounts[account].ledgers.values.allSatisfy(\.isBalanced)
            require(areBalanced, "at the end what was acknowledged is not what is in the log")
        }
    }
}
