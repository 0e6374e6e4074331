// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Machines, a network, a store and clients, in one thread, drawn from one seed. Its extensions say what happens in each
/// of them; the auditor watches.
final class World {
    let swarm: Swarm
    var random: SeededGenerator
    var schedule = Schedule()
    /// Milliseconds since the world began.
    var now: Int64 = 0
    var history: History
    let auditor: Auditor
    var machines: [Machine]
    var store: SimulatedStore
    var brokers = SimulatedBrokers()
    /// The store's counts of before an old backup was put in their place, until somebody finds that it is too old.
    var replacedStore: StoredCounts?
    var clients: [Client]
    /// Whether faults come; without them everything must converge.
    var hasFaults = true
    var counters = Counters()
    private var lastID = 0

    init(seed: UInt64, keepsHistory: Bool = false) {
        var random = SeededGenerator(seed: seed)
        let swarm = Swarm(using: &random)
        self.swarm = swarm
        history = History(keepsLines: keepsHistory)
        auditor = Auditor(swarm)
        machines = swarm.roles.enumerated().map { Machine(index: $0, role: $1) }
        store = SimulatedStore(layout: swarm.layout)
        clients = (0..<swarm.clients).map { Client(index: $0, swarm, using: &random) }
        self.random = random
        if swarm.hasBrokers { makePartitions(swarm.partitions) }
        for machine in machines.indices { plan(.machineStarts(machine, incarnation: 0), in: 0) }
        for client in clients.indices { plan(.clientActs(client), in: 1 + Int64(client)) }
    }

    /// - Returns: false when nothing is left to happen.
    func step() -> Bool {
        if hasFaults, let fault = swarm.fault(using: &random) { begin(fault) }
        guard let (time, event) = schedule.removeFirst() else { return false }
        now = time
        happen(event)
        return true
    }

    private func happen(_ event: Event) {
        switch event {
        case .clientActs(let client): act(client)
        case .answerArrives(let answer): receive(answer)
        case .clientTimesOut(let client, let request): giveUp(client, request)
        case .machineStarts(let machine, let incarnation): start(machine, incarnation)
        case .requestArrives(let request): arrive(request)
        case .requestIsCommitted(let process, let arrival): commit(arrival, process)
        case .chunkIsCommitted(let process, let chunk, let arrival): commit(chunk, arrival, process)
        case .turnEnds(let process, let lane): endTurn(lane, process)
        case .diskWorks(let process): writeCommit(process)
        case .flushIsDue(let counting, let isRetry): flush(counting, isRetry: isRetry)
        case .queryIsAsked(let machine): query(machine)
        case .storeReceives(let call): receive(call)
        case .storeAnswers(let call, let reply): receive(reply, to: call)
        case .storeTimesOut(let call): receive(.failed, to: call)
        case .brokersReceive(let call): receive(call)
        case .brokersAnswer(let call, let offsets): receive(offsets, to: call)
        case .brokersTimeOut(let call): receive(nil, to: call)
        case .spoolIsWritten(let process, let partition): writeSpool(partition, process)
        case .forwarderWorks(let process): forwardAgain(process)
        case .readingBegins(let counting): beginReading(counting)
        case .readingGoesOn(let counting): goOnReading(counting)
        case .partitionsAreAssigned(let process): assignPartitions(process)
        case .countingEnds(let counting, let ending): endCounting(counting, ending)
        case .countingIsTriedAgain(let process, let partition, let failures):
            tryAgain(process, partition, failures: failures)
        case .operatorLooks(let partition): operate(partition)
        case .faultEnds(let fault): end(fault)
        }
    }

    // MARK: What all parts share

    func plan(_ event: Event, in milliseconds: Int64) { schedule.add(event, at: now + milliseconds) }

    func newID() -> Int {
        lastID += 1
        return lastID
    }

    /// True so many times in a thousand, while faults come.
    func fails(_ perMille: Int) -> Bool {
        hasFaults && perMille > 0 && Int(random.next() % 1_000) < perMille
    }

    func number(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }

    func machine(of process: ProcessID) -> Machine { machines[process.machine] }

    /// The process, if it still runs.
    func process(_ id: ProcessID) -> Process? {
        guard let process = machines[id.machine].process, process.id == id else { return nil }
        return process
    }

    /// What counts a log, if it still does.
    func counting(_ id: CountingID) -> Counting? {
        guard let counting = process(id.process)?.counting[id.account], counting.id == id else { return nil }
        return counting
    }

    /// Sends a message, which may be lost, come twice, or late.
    func send(_ event: Event) {
        if fails(swarm.lostMessages) { return }
        plan(event, in: latency)
        if fails(swarm.repeatedMessages) { plan(event, in: latency) }
    }

    /// Of a message, in milliseconds.
    var latency: Int64 { fails(swarm.slowMessages) ? number(100...20_000) : number(1...10) }
}
