// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Watches the world and keeps simple books of its own: what was sent, acknowledged, refused, and what is unknown. After
/// every step it checks what was touched; the first thing that is not as promised ends the run.
///
/// `docs/guarantees.md` lists what is checked.
final class Auditor {
    /// Banners above this number are changed by backfills and imports alone.
    static let backfilledBanners: Int64 = 1_000

    /// Who waits for an answer.
    struct Sender {
        let client: Int
        let id: Int
    }

    private struct Arrival {
        let sender: Sender
        let machine: Int
        let events: [(account: Int, event: CountedEvent)]
        let chunk: (account: Int, chunk: Chunk)?
    }

    let swarm: Swarm
    private(set) var violation: String?
    var accounts: [LogAccount] = []
    private var accountsByLog: [LogID: Int] = [:]
    private var arrivals: [Int: Arrival] = [:]
    private var imported: [ChunkName: Chunk] = [:]
    /// What servers made for the brokers, where it is durable by now, and what only a spool has.
    var made: [ChunkName: (account: Int, chunk: Chunk)] = [:]
    var held: Set<ChunkName> = []
    var spooled: [Int: Set<ChunkName>] = [:]
    /// What the brokers had acknowledged and have lost, by account.
    var losses: [Int: [Loss]] = [:]
    /// Those that count a log now.
    var readers: [CountingID: Reader] = [:]

    init(_ swarm: Swarm) { self.swarm = swarm }

    func require(_ condition: Bool, _ message: @autoclosure () -> String) {
        if !condition, violation == nil { violation = message() }
    }

    func account(of log: LogID, node: NodeID?, machine: Int?) -> Int {
        if let known = accountsByLog[log] { return known }
        accountsByLog[log] = accounts.count
        accounts.append(LogAccount(log: log, node: node, machine: machine, swarm))
        return accounts.count - 1
    }

    /// The journal that this machine has now.
    func identity(onMachine machine: Int) -> NodeID? {
        accounts.last { $0.machine == machine && !$0.isRetired }?.node
    }

    func retire(machine: Int) {
        for index in accounts.indices where accounts[index].machine == machine { accounts[index].isRetired = true }
    }

    // MARK: What goes in

    func sent(_ body: Request.Body) {
        if case .chunk(let chunk) = body {
            imported[ChunkName(chunk)] = chunk
        }
    }

    func decided(_ decision: EventWindow.Decision, _ event: SentEvent, now: Timestamp, backfill: Bool) {
        switch decision {
        case .accepted(let minute):
            if let time = event.time {
                require(minute == Minute(time), "an event of another minute than its own")
                require(minute <= Minute(now).advanced(by: swarm.early), "an event of the future was accepted")
            } else {
                require(minute >= Minute(now), "an event of now in a minute that is over")
            }
        case .tooOld:
            require(event.time != nil && (!backfill || swarm.floor != nil), "an event was too old that can't be")
        case .tooEarly:
            require(
                event.time.map { Minute($0) > Minute(now).advanced(by: swarm.early) } ?? false,
                "an event was too early that is not")
        }
    }

    func admitted(_ arrival: Int, of request: Request, events: [(account: Int, event: CountedEvent)]) {
        let sender = Sender(client: request.client, id: request.id)
        arrivals[arrival] = Arrival(sender: sender, machine: request.machine, events: events, chunk: nil)
        for (account, event) in events {
            if let sighting = event.sighting { accounts[account].visitors.insert(sighting) }
            if let id = event.id {
                accounts[account].identified[id, default: []].append(event)
            } else {
                for counter in counters(of: event) {
                    accounts[account].ledgers[counter, default: .init()].open += event.count
                }
            }
        }
    }

    func admitted(_ arrival: Int, of request: Request, chunk: Chunk, into account: Int) {
        let sender = Sender(client: request.client, id: request.id)
        arrivals[arrival] = Arrival(sender: sender, machine: request.machine, events: [], chunk: (account, chunk))
    }

    /// An invalid event counts twice: also as invalid.
    private func counters(of event: CountedEvent) -> [LogAccount.Counter] {
        event.countedKinds.map { LogAccount.Counter(banner: event.banner, kind: $0, minute: event.minute) }
    }

    // MARK: What is answered

    /// Certainly not counted.
    func refused(_ arrival: Int) -> Sender? {
        guard let arrival = arrivals.removeValue(forKey: arrival) else { return nil }
        for (account, event) in arrival.events where event.id == nil {
            for counter in counters(of: event) {
                accounts[account].ledgers[counter]?.open -= event.count
                checkBalance(of: counter, account)
            }
        }
        return arrival.sender
    }

    /// Perhaps counted.
    func unknown(_ arrival: Int) -> Sender? { arrivals.removeValue(forKey: arrival)?.sender }

    func acknowledged(_ arrival: Int, _ receipts: [Receipt]) -> Sender? {
        guard let arrival = arrivals.removeValue(forKey: arrival) else {
            require(false, "an answer to nobody")
            return nil
        }
        for receipt in receipts { check(receipt) }
        for (account, event) in arrival.events {
            require(accounts[account].holds(event.sighting), "an acknowledged visitor is not in the log")
            if let id = event.id {
                require(accounts[account].isHeld(id), "an acknowledged event is not in the log")
            } else {
                for counter in counters(of: event) {
                    accounts[account].ledgers[counter]?.open -= event.count
                    accounts[account].ledgers[counter]?.acknowledged += event.count
                    checkBalance(of: counter, account)
                }
            }
        }
        if let (account, chunk) = arrival.chunk { acknowledgedAgain(chunk, in: account) }
        return arrival.sender
    }

    private func check(_ receipt: Receipt) {
        // A spool has no account: its chunks are on their way to another log.
        guard let account = accountsByLog[receipt.log] else { return }
        let (offset, end) = (receipt.offset.value, accounts[account].end)
        require(offset <= end, "a receipt for offset \(offset), which the log does not hold")
        // Many servers have their answers from the brokers in any order.
        if accounts[account].node == nil { return }
        require(offset >= accounts[account].acknowledged, "a receipt went back to offset \(offset)")
        // A journal's answers follow its batch at once, and cover all of it.
        require(offset == end, "a receipt for offset \(offset) of a batch that ends at offset \(end)")
        accounts[account].acknowledged = offset
    }

    func acknowledgedAgain(_ chunk: Chunk, in account: Int) {
        require(
            accounts[account].reference.contains(ChunkName(chunk)), "an acknowledged chunk is not in the log")
    }

    private func checkBalance(of counter: LogAccount.Counter, _ account: Int) {
        let ledger = accounts[account].ledgers[counter] ?? .init()
        require(
            ledger.isBalanced,
            "of \(counter) \(ledger.acknowledged) are acknowledged, \(ledger.open) open, \(ledger.logged) in the log"
        )
    }

    // MARK: What the log holds

    /// These chunks are about to be appended.
    func offered(_ chunks: [Chunk], to account: Int) { accounts[account].offered = chunks }

    /// Certainly none of them is in the log.
    func withdrawn(from account: Int) { accounts[account].offered = [] }

    func logged(_ entries: [LogEntry], in account: Int) {
        require(entries.map(\.chunk) == accounts[account].offered, "another batch is counted than was appended")
        accounts[account].beginBatch()
        for entry in entries { add(entry, to: account) }
        accounts[account].offered = []
    }

    func add(_ entry: LogEntry, to account: Int) {
        require(
            entry.offset.value == accounts[account].end + 1,
            "offset \(entry.offset) follows offset \(accounts[account].end)")
        let flaw = accounts[account].add(entry.chunk, imported: imported)
        require(flaw == nil, "the log holds, at offset \(entry.offset), \(flaw ?? "")")
    }

    /// The process is gone: what it had not answered is unknown.
    func stopped(machine: Int) {
        arrivals = arrivals.filter { $0.value.machine != machine }
        readers = readers.filter { $0.key.process.machine != machine }
    }
}
