// SPDX-License-Identifier: Apache-2.0

/// What happened how often: a fault that never happens, or a path that nobody takes, shows here.
package struct Counters: Sendable {
    package enum Name: String, CaseIterable, Sendable {
        case admittedEvents = "events admitted"
        case rejectedTooOld = "rejected as too old"
        case rejectedTooEarly = "rejected as too early"
        case refusedRequests = "requests refused"
        case acknowledgedRequests = "requests acknowledged"
        case invalidEvents = "invalid events"
        case untrustedClocks = "requests refused since the clock was ahead"
        case laneTurns = "turns of event loops"
        case starts
        case crashes = "kills and losses of power"
        case refusedStarts = "starts refused"
        case retiredJournals = "journals given up for damage"
        case flushes
        case unfinishedWrites = "writes to the store that were cut short"
        case lateCalls = "calls that came when they were given up"
        case queries
        case spooledChunks = "chunks spooled"
        case repeatedChunks = "chunks that the brokers have twice"
        case rebalances
        case outrunPartitions = "partitions that another server had counted further"
        case zombieFlushes = "flushes of a partition that another server counts"
        case lostChunks = "acknowledged chunks lost by the brokers"
        case confirmedLosses = "losses confirmed"
        case rereadPartitions = "partitions read again since a chunk was missing"
        case lostIDs = "starts without the ids of chunks that the brokers had dropped"
        case endsReachedUnderLoad = "ends of a growing log reached"
        case repeatedImports = "chunks of an import acknowledged again"
    }

    private var counts = [Int](repeating: 0, count: Name.allCases.count)

    package subscript(name: Name) -> Int {
        get { counts[Counters.index(of: name)] }
        set { counts[Counters.index(of: name)] = newValue }
    }

    private static func index(of name: Name) -> Int { Name.allCases.firstIndex(of: name) ?? 0 }

    mutating func add(_ other: Counters) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    package var description: String {
        Name.allCases.filter { self[$0] > 0 }.map { "\(self[$0]) \($0.rawValue)" }.joined(separator: ", ")
    }
}
