// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Chunks on their way to the brokers, and in the spools of the servers that made them.
extension Auditor {
    /// A server closed these chunks; nobody has them yet.
    func made(_ chunks: [Chunk], for account: Int) {
        for chunk in chunks {
            let isNew = made.updateValue((account, chunk), forKey: ChunkName(chunk)) == nil
            require(isNew, "sequence \(chunk.sequence) of a node was given to two chunks")
        }
    }

    /// The server says that nobody has them, nor ever will: their numbers are free again.
    func withdrew(_ chunks: [Chunk]) {
        for chunk in chunks {
            require(!held.contains(ChunkName(chunk)), "a chunk that somebody has was taken for refused")
            made[ChunkName(chunk)] = nil
        }
    }

    /// The brokers have a chunk.
    /// - Returns: false when they had it before.
    func appended(_ entry: LogEntry, to account: Int) -> Bool {
        let isNew = !accounts[account].reference.contains(ChunkName(entry.chunk))
        if !isNew { returned(entry.chunk, to: account) }
        require(made[ChunkName(entry.chunk)]?.account == account, "a chunk is in a partition that it was not made for")
        hold(entry.chunk)
        accounts[account].append(entry.chunk)
        require(entry.offset.value == accounts[account].end, "the brokers' offsets have a gap")
        return isNew
    }

    /// A spool has them.
    func spooled(_ chunks: [Chunk], on machine: Int) {
        for chunk in chunks {
            hold(chunk)
            spooled[machine, default: []].insert(ChunkName(chunk))
        }
    }

    /// After a start everything that was spooled is still in the spool, or has reached the brokers.
    func recoveredSpool(_ spool: Journal, on machine: Int) {
        guard let entries = entries(of: spool, damage: .none) else { return }
        for entry in entries { hold(entry.chunk) }
        let here = Set(entries.map { ChunkName($0.chunk) })
        spooled[machine] = spooled[machine]?.filter { !isAtTheBrokers($0) }
        let areKept = spooled[machine]?.isSubset(of: here) ?? true
        require(areKept, "a spooled chunk is neither in the spool nor in the log")
    }

    /// The encoded size of what the brokers do not have yet.
    func bytes(in spool: Journal) -> Int {
        let chunks = (entries(of: spool, damage: .none) ?? []).map(\.chunk)
        return chunks.reduce(0) { isAtTheBrokers(ChunkName($1)) ? $0 : $0 + $1.encoded().count }
    }

    /// At most so many chunks have yet to be sent from spools: those that the last starts found there, and all since.
    var spooledChunks: Int { spooled.values.reduce(0) { $0 + $1.count } }

    /// When nothing is left to do, all that was durable anywhere is in the log.
    func checkSpools() {
        let areThere = held.allSatisfy(isAtTheBrokers)
        require(areThere, "at the end a chunk that was spooled is not in the log")
    }

    private func isAtTheBrokers(_ name: ChunkName) -> Bool {
        made[name].map { accounts[$0.account].reference.contains(name) } ?? false
    }

    private func hold(_ chunk: Chunk) {
        guard let (account, original) = made[ChunkName(chunk)] else {
            return require(false, "a chunk that nobody made")
        }
        require(original == chunk, "a chunk changed on its way")
        guard held.insert(ChunkName(chunk)).inserted else { return }
        let flaw = accounts[account].hold(chunk)
        require(flaw == nil, "a chunk became durable with \(flaw ?? "")")
    }
}
