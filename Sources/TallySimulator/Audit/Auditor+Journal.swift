// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What a journal holds after a start, against what was acknowledged.
extension Auditor {
    enum Finding {
        case intact
        /// Damage took what nobody can know to have been there.
        case lostToDamage
    }

    func recovered(
        _ journal: Journal, in account: Int, damage: Machine.Damage, isOldCopy: Bool
    ) -> Finding {
        // Its end may have been lost in a crash since, and written anew: nobody was told of it.
        if isOldCopy { return .intact }
        guard let entries = entries(of: journal, damage: damage) else { return .lostToDamage }
        // What a crash left of an append is one batch.
        if journal.lastOffset.value > accounts[account].end { accounts[account].beginBatch() }
        for entry in entries {
            if let known = accounts[account].chunk(at: entry.offset) {
                require(known == entry.chunk, "offset \(entry.offset) holds another chunk after a start")
            } else {
                takeIn(entry, account)
            }
        }
        let (end, known) = (journal.lastOffset.value, accounts[account].end)
        accounts[account].offered = []
        if end >= known { return .intact }
        require(
            end >= accounts[account].beginning(ofLast: damage.batches) - 1 && damage != .none,
            "the log ended at offset \(known), and after a start at \(end)")
        return .lostToDamage
    }

    /// A chunk that nobody was told of: it was written when the process or the machine stopped.
    private func takeIn(_ entry: LogEntry, _ account: Int) {
        guard let offered = accounts[account].offered.first else {
            return require(false, "offset \(entry.offset) holds a chunk that was not to be written")
        }
        require(offered == entry.chunk, "offset \(entry.offset) holds another chunk than was being written")
        if accounts[account].end + 1 == entry.offset.value { accounts[account].offered.removeFirst() }
        add(entry, to: account)
    }

    func entries(of journal: Journal, damage: Machine.Damage) -> [LogEntry]? {
        var entries: [LogEntry] = []
        var next = journal.firstOffset
        do throws(LogError) {
            while true {
                let read = try journal.read(from: next, maximumBytes: 1 << 20)
                guard let last = read.last else { break }
                entries += read
                next = last.offset.next
            }
        } catch {
            require(damage != .none, "a journal that was opened can't be read: \(error)")
            return nil
        }
        return entries
    }

    /// A damaged journal was repaired: what is there is what was written, and no more is gone than was hit.
    func repaired(_ journal: Journal, _ report: JournalRepairReport, damage: Machine.Damage) {
        guard let account = accounts.firstIndex(where: { $0.log == journal.id }),
            let entries = entries(of: journal, damage: damage)
        else { return require(false, "a repaired journal is not the one that was damaged") }
        for entry in entries {
            guard let known = accounts[account].chunk(at: entry.offset) else { continue }
            require(known == entry.chunk, "offset \(entry.offset) holds another chunk after a repair")
        }
        let kept = Set(entries.map(\.offset.value))
        let first = journal.firstOffset.value
        let end = accounts[account].end
        guard first <= end else { return }
        let lost = (first...end).filter { !kept.contains($0) }
        for offset in lost {
            let isNamed =
                report.lost.contains { $0.contains(LogOffset(offset)) }
                || report.skipped?.contains(LogOffset(offset)) == true
            // Of the last batch nobody but the auditor knows that it was acknowledged.
            require(
                isNamed || offset >= accounts[account].beginning(ofLast: damage.batches),
                "a repair does not name offset \(offset), which is lost")
        }
        if case .bytes(let count) = damage {
            require(lost.count <= count, "\(count) damaged bytes cost \(lost.count) chunks")
        }
    }

    func trimmed(_ account: Int, first: LogOffset, _ store: SimulatedStore) {
        // Readers that know different event ids need the log from different offsets on.
        if accounts[account].isRetired { return }
        let readFrom = store.counts.checkpoint(of: accounts[account].log)?.readFrom ?? LogOffset(1)
        require(first <= readFrom, "the log begins at offset \(first), but is needed from \(readFrom) on")
    }

    // MARK: Starts that are refused

    func refusedStart(
        _ error: StartError, isOldJournal: Bool, isOldStore: Bool, damage: Machine.Damage
    ) {
        switch error {
        case .logBehindStore, .otherLog:
            require(isOldJournal || damage != .none, "a start is refused without a reason: \(error)")
        case .storeBehindLog, .storeReplaced:
            require(isOldStore, "a start is refused without a reason: \(error)")
        case .otherSettings: require(false, "a start is refused without a reason: \(error)")
        case .store, .log:
            require(damage != .none, "a start is refused without a reason: \(error)")
        }
    }

    /// Another server may have counted on since this one asked the store.
    func refusedPartition(_ error: StartError) {
        if case .storeBehindLog = error { return }
        require(false, "a partition can't be counted: \(error)")
    }

    /// An old copy of the journal may pass only when the store has seen nothing beyond it.
    func startedFromOldCopy(_ journal: Journal, _ store: SimulatedStore) {
        let upTo = store.counts.checkpoint(of: journal.id)?.upTo ?? .none
        require(upTo <= journal.lastOffset, "a journal that ends before its checkpoint was not refused")
    }
}
