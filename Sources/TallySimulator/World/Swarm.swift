// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What one seed's world is like: how large it is, how its server is configured, and which faults it has.
///
/// Each fault is absent in half of the worlds, since a fault that is always there can hide what another would show
/// ("Swarm testing", Groce et al., 2012).
struct Swarm {
    // The deployment
    let layout: Layout
    /// What runs on each machine.
    let roles: [Role]
    /// Of the brokers' log, where there is one.
    let partitions: Int
    /// Each partition is counted by two servers at once, where there are two.
    let hasReserve: Bool
    /// Servers write to their own disk while the brokers are away.
    let spools: Bool
    /// In bytes.
    let spoolLimit: Int
    let acknowledgement: Acknowledgement
    let segmentBytes: Int
    /// Milliseconds between flushes.
    let flushEvery: Int64
    /// Minutes that an event may lie back, and ahead.
    let late: Int64
    /// How many minutes a backfill or an import may lie back; nil for any number.
    let floor: Int64?
    let early: Int64
    let window: Duration
    let windowLimit: Int
    let bytesPerRead: Int
    /// Event loops with a lane of their own.
    let lanes: Int

    // The workload
    let clients: Int
    let banners: Int64
    let kinds: Int
    let eventsPerRequest: Int
    /// Percent of the clients that send chunks, where there are no brokers.
    let importPercent: Int
    /// Milliseconds that a client waits between requests, at most.
    let thinkTime: Int64
    /// Percent of the events that carry a time of their own, and of the requests that are a backfill.
    let timedPercent: Int
    let backfillPercent: Int
    /// Percent of the steps of a client that are a query.
    let queryPercent: Int
    /// Whether events tell visitors.
    let countsVisitors: Bool

    // The network: of 1,000 messages
    let lostMessages: Int
    let repeatedMessages: Int
    let slowMessages: Int
    /// Of 1,000 calls of a reader to the brokers.
    let slowReads: Int
    /// The brokers send a consumer everything from where it begins, as Kafka does; otherwise some of it may be lost.
    let sendsAll: Bool

    // The disk
    /// Milliseconds that an append takes, at most: what arrives meanwhile is in the next, together.
    let appendTime: Int64
    // Of 1,000 appends
    let powerLossInAppend: Int
    /// Of 1,000 appends that make a new file.
    let powerLossWithNewFile: Int
    let failedSyncs: Int
    let fullWrites: Int
    let slowSyncs: Int
    let lostWrites: Int

    // The store: of 1,000 calls
    let refusedCalls: Int
    let lostAnswers: Int
    let partialWrites: Int
    let lateCalls: Int

    /// Clocks jump ahead by months, and back within a minute.
    let hasShortClockJumps: Bool

    /// How many chunks of a call the brokers store before it times out; nil for all.
    let chunksPerCall: Int?

    /// Faults that come at any step: of 100,000 steps.
    let faults: [(fault: Fault, rate: Int)]

    enum Role {
        /// Everything, with a journal of its own.
        case alone
        /// Lets events in, and sends them to the brokers.
        case ingest
        /// Counts partitions of the brokers' log.
        case aggregate
    }

    /// What every server should be started with.
    var settings: CountingSettings {
        CountingSettings(
            windowMilliseconds: Int64(window / .milliseconds(1)), windowLimit: windowLimit, lateMinutes: late)
    }

    /// The machines that let events in.
    var intakes: [Int] { roles.indices.filter { roles[$0] != .aggregate } }

    var hasBrokers: Bool { roles[0] != .alone }

    enum Fault: CaseIterable {
        case kill, powerLoss, fullDisk, damage, clockJump, clockDrift, unreachable, storeUnreachable, storeOutage
        case storeBackup, storeRestore, journalBackup, journalRestore
        case brokerOutage, brokersUnreachable, rebalance, repartition
        case otherSettings, contradiction, chunkLoss, retention

        /// In 100,000 steps, at most.
        var highestRate: Int {
            switch self {
            case .kill, .powerLoss: 1_000
            case .fullDisk, .clockJump, .storeOutage, .unreachable, .storeUnreachable: 300
            case .storeBackup, .journalBackup, .chunkLoss: 300
            case .brokerOutage, .brokersUnreachable: 300
            case .rebalance: 1_000
            case .damage, .storeRestore, .journalRestore, .clockDrift, .repartition: 100
            case .otherSettings, .contradiction, .retention: 100
            }
        }

        /// Whether it can happen where there are brokers, and where there are none.
        func isPossible(withBrokers hasBrokers: Bool) -> Bool {
            switch self {
            case .damage, .storeBackup, .storeRestore, .journalBackup, .journalRestore: !hasBrokers
            case .brokerOutage, .brokersUnreachable, .rebalance, .repartition, .chunkLoss, .retention: hasBrokers
            default: true
            }
        }
    }

    init(using random: inout SeededGenerator) {
        layout = random.chance(50) ? .minute : .hour
        roles = Swarm.roles(using: &random)
        partitions = Int.random(in: 1...4, using: &random)
        hasReserve = random.chance(50)
        spools = random.chance(80)
        spoolLimit = Swarm.pick([500, 5_000, .max, .max], using: &random)
        acknowledgement = random.chance(70) ? .quorum : .disk
        segmentBytes = Swarm.pick([512, 1_024, 4_096, 4_096, 16_384], using: &random)
        flushEvery = Swarm.pick([2_000, 20_000, 60_000, 600_000], using: &random)
        late = Swarm.pick([0, 1, 10, 10_080], using: &random)
        let floor: Int64? = Swarm.pick([nil, nil, 500, 1_700], using: &random)
        if roles[0] == .alone, let floor { self.floor = max(floor, late) } else { self.floor = nil }
        early = Swarm.pick([0, 1, 5], using: &random)
        window = .seconds(Swarm.pick([30, 600, 3_600, 100_000_000], using: &random))
        windowLimit = Swarm.pick([5, 50, 5_000_000], using: &random)
        bytesPerRead = Swarm.pick([1, 500, 1 << 20], using: &random)
        lanes = Swarm.pick([0, 1, 2, 3], using: &random)

        clients = Int.random(in: 1...(random.chance(80) ? 6 : 16), using: &random)
        banners = Int64.random(in: 1...5, using: &random)
        kinds = Int.random(in: 1...3, using: &random)
        eventsPerRequest = Swarm.pick([1, 3, 12], using: &random)
        importPercent = Swarm.pick([0, 40, 90], using: &random)
        thinkTime = Swarm.pick([50, 2_000, 30_000], using: &random)
        timedPercent = Swarm.pick([0, 20, 60], using: &random)
        backfillPercent = Swarm.pick([0, 5, 20], using: &random)
        queryPercent = Swarm.pick([2, 10], using: &random)
        // From a generator of its own, so that worlds without visitors are what they were before there were any.
        var aside = random
        var own = SeededGenerator(seed: aside.next().mixed())
        countsVisitors = own.chance(33)
        chunksPerCall = spools && own.chance(20) ? Swarm.pick([3, 10], using: &own) : nil
        hasShortClockJumps = own.chance(25)

        lostMessages = Swarm.rate(60, using: &random)
        repeatedMessages = Swarm.rate(60, using: &random)
        slowMessages = Swarm.rate(100, using: &random)
        slowReads = Swarm.rate(300, using: &random)
        sendsAll = random.chance(30)

        appendTime = Swarm.pick([3, 3, 300, 3_000], using: &random)
        powerLossInAppend = Swarm.rate(40, using: &random)
        powerLossWithNewFile = Swarm.rate(600, using: &random)
        failedSyncs = Swarm.rate(20, using: &random)
        fullWrites = Swarm.rate(40, using: &random)
        slowSyncs = Swarm.rate(50, using: &random)
        lostWrites = roles[0] == .alone && random.chance(15) ? Swarm.rate(4, using: &random) : 0

        refusedCalls = Swarm.rate(100, using: &random)
        lostAnswers = Swarm.rate(100, using: &random)
        partialWrites = Swarm.rate(200, using: &random)
        lateCalls = Swarm.rate(100, using: &random)

        var rates: [(Fault, Int)] = []
        for fault in Fault.allCases {
            // What closes the books of a log is rare: in most worlds the accounts go on to the end.
            let isRare = [.damage, .chunkLoss, .retention].contains(fault) && random.chance(70)
            let isPossible = fault.isPossible(withBrokers: roles[0] != .alone) && !isRare
            let rate = isPossible ? Swarm.rate(fault.highestRate, using: &random) : 0
            if rate > 0 { rates.append((fault, rate)) }
        }
        faults = rates
    }

    private static func roles(using random: inout SeededGenerator) -> [Role] {
        if random.chance(35) { return [.alone] }
        if random.chance(25) { return Array(repeating: .alone, count: Int.random(in: 2...3, using: &random)) }
        return Array(repeating: .ingest, count: Int.random(in: 1...2, using: &random))
            + Array(repeating: .aggregate, count: Int.random(in: 1...3, using: &random))
    }

    /// The fault of this step, if there is one.
    func fault(using random: inout SeededGenerator) -> Fault? {
        var number = Int(random.next() % 100_000)
        for (fault, rate) in faults {
            if number < rate { return fault }
            number -= rate
        }
        return nil
    }

    private static func pick<Value>(_ values: [Value], using random: inout SeededGenerator) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    private static func rate(_ most: Int, using random: inout SeededGenerator) -> Int {
        random.chance(50) ? 0 : Int.random(in: 1...most, using: &random)
    }
}
