// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A running server: the production types, and what the shell around them keeps.
final class Process {
    let id: ProcessID
    /// What lets events in; nil while it starts, and in a server that only counts.
    var intake: Intake?
    /// Its own log, where there are no brokers.
    var journal: Journal?
    /// The logs that it counts, by their account.
    var counting: [Int: Counting] = [:]
    /// Of a server that counts partitions of the brokers' log.
    var duties = PartitionDuties()
    /// What it was told last.
    var assignment: Set<Int> = []
    /// How it reads the brokers' log, by account, and what the brokers send next. It outlives each counting.
    var readings: [Int: LogReading<Chunk>] = [:]
    var consumers: [Int: LogOffset] = [:]

    init(id: ProcessID) { self.id = id }
}

/// Takes requests in, up to their durability.
final class Intake {
    enum Way {
        case journal(JournalWay)
        case brokers(BrokerWay)
    }

    var window: EventWindow
    var clock: ClockGuard
    let way: Way
    /// Requests that were admitted and are not yet committed, by arrival.
    var admitted: [Int: (events: [CountedEvent], backfill: Bool)] = [:]

    /// One for each event loop.
    var lanes: [Lane]
    /// The requests that came in the present turn of each.
    var turns: [[Int]]
    /// The turns that wait for their commit.
    var handedOver: [Int: Turn] = [:]

    struct Turn {
        let lane: Int
        /// The requests in it.
        let arrivals: [Int]
        let sightings: [Sighting]
    }

    init(window: EventWindow, clock: ClockGuard, way: Way, lanes: [Lane]) {
        self.clock = clock
        self.window = window
        self.way = way
        self.lanes = lanes
        turns = lanes.map { _ in [] }
    }
}

/// Into the journal of this machine, which this server counts too.
final class JournalWay {
    let journal: Journal
    let counting: Counting
    var commits: GroupCommit<Int>
    /// What the disk is about to write.
    var commit: [Chunk]?

    init(journal: Journal, counting: Counting, commits: GroupCommit<Int>) {
        self.journal = journal
        self.counting = counting
        self.commits = commits
    }
}

/// To the brokers, with a spool on this machine.
final class BrokerWay {
    let spool: Journal
    var commits: PartitionedCommit<Int>
    var forwarder: Forwarder
    /// The commit on its way, by partition.
    var deliveries: [Int: Delivery] = [:]
    /// Its chunks.
    var committing: [Int: [Chunk]] = [:]
    /// The calls on whose answers deliveries wait, by their ids.
    var calls: [Int: Int] = [:]
    var account: SpoolAccount
    /// The calls on whose answers the forwarder waits, with their partitions.
    var forwarding: [Int: Int] = [:]
    /// The partitions that did not take theirs.
    var failed: Set<Int> = []
    /// The call that asks whether a partition answers.
    var probe: Int?
    /// The forwarder waits before it tries again.
    var pauses = false

    init(spool: Journal, commits: PartitionedCommit<Int>, account: SpoolAccount) {
        self.spool = spool
        self.commits = commits
        self.account = account
        forwarder = Forwarder(first: spool.firstOffset)
    }
}

/// A log on its way into the store.
final class Counting {
    let id: CountingID
    let log: LogID
    /// It must be refused.
    let hasOtherSettings: Bool
    /// While it starts.
    var replay: Replay?
    /// Once it runs.
    var aggregator: Aggregator?
    var keeping = StoreKeeping()
    /// The time up to which a partition is counted, and when its last read began.
    var catchUp = CatchUp(at: .zero)
    var readingBegan = Duration.zero
    /// The call to the store on whose answer it waits.
    var openCall: Int?
    /// Calls on whose answers queries wait.
    var queries: [Int: Query] = [:]

    struct Query {
        let range: RowRange
        let unflushed: [UnflushedRow]
        let bounds: Auditor.ReadBounds
    }

    var account: Int { id.account }

    /// - Parameter settings: what the server was started with.
    init(id: CountingID, log: LogID, isJournal: Bool, _ settings: CountingSettings, _ swarm: Swarm) {
        self.id = id
        self.log = log
        hasOtherSettings = settings != swarm.settings
        var configuration = Aggregator.Configuration(
            window: .milliseconds(settings.windowMilliseconds), windowLimit: settings.windowLimit,
            lateMinutes: settings.lateMinutes)
        configuration.explainsSkippedOffsets = isJournal
        replay = Replay(
            log: log, layout: swarm.layout, configuration: configuration, isTrimmedByOthers: !isJournal)
    }
}
