// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A computer with a disk and a clock, on which a server runs most of the time.
final class Machine {
    let index: Int
    var disk = SimulatedDisk()
    var clock = SimulatedClock()
    var process: Process?
    /// How often a process was started.
    var incarnation = 0
    /// The network doesn't reach it.
    var isUnreachable = false
    var isStoreUnreachable = false
    /// Bits were flipped, or a write went astray, since its journal was last known to be whole.
    var damage = Damage.none
    /// An old copy of its journal, made while no process ran.
    var backup: SimulatedDisk?
    /// The journal of before an old copy was put in its place.
    var replacedDisk: SimulatedDisk?

    enum Damage: Equatable {
        case none
        /// So many single bytes behind the header of a segment.
        case bytes(Int)
        /// Anything.
        case wide
    }

    init(index: Int) { self.index = index }
}

/// A running server: the production types, and what the shell around them keeps.
final class Process {
    let id: ProcessID
    let journal: Journal
    /// The position of this log in the auditor's books.
    let account: Int
    /// While it starts.
    var replay: Replay?
    /// Once it runs.
    var server: Server?
    /// The call to the store on whose answer the start or the keeping of the store waits.
    var openCall: Int?
    /// Calls on whose answers queries wait.
    var queries: [Int: Query] = [:]

    init(id: ProcessID, journal: Journal, account: Int, replay: Replay) {
        self.id = id
        self.journal = journal
        self.account = account
        self.replay = replay
    }

    final class Server {
        var window: EventWindow
        var commits: GroupCommit<Int>
        var aggregator: Aggregator
        var keeping = StoreKeeping()
        /// What the disk is about to write.
        var commit: [Chunk]?
        /// Requests that were admitted and are not yet committed, by arrival.
        var admitted: [Int: (events: [CountedEvent], backfill: Bool)] = [:]

        init(window: EventWindow, commits: GroupCommit<Int>, aggregator: Aggregator) {
            self.window = window
            self.commits = commits
            self.aggregator = aggregator
        }
    }

    struct Query {
        let range: RowRange
        let unflushed: [UnflushedRow]
        let bounds: Auditor.ReadBounds
    }
}
