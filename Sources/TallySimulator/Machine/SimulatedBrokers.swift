// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A log of several partitions that machines of their own keep safely; their answers are not safe.
struct SimulatedBrokers {
    struct Partition {
        let account: Int
        let log: LogID
        /// The machine that counts it; another may not have heard that it doesn't any more.
        var owner: Int
        /// Another machine that counts it all the time, as a reserve; nil for none.
        let reserve: Int?
        var chunks: [Chunk] = []
        /// What stood before was dropped.
        var first = LogOffset(1)
        /// What the brokers had acknowledged, and have no more.
        var lost: Set<LogOffset> = []

        func isCounted(by machine: Int) -> Bool { machine == owner || machine == reserve }

        var end: LogOffset { LogOffset(Int64(chunks.count)) }

        mutating func append(_ chunk: Chunk) -> LogEntry {
            chunks.append(chunk)
            return LogEntry(offset: end, chunk: chunk)
        }

        /// - Parameter sendsAll: see `LogBounds.Absence`.
        func bounds(sendsAll: Bool) -> LogBounds {
            LogBounds(first: first, last: end, absence: sendsAll ? .whatIsNotSent : .listed(lost.sorted()))
        }

        /// What a consumer at this offset is sent: it skips what was trimmed, and says nothing of it.
        func messages(from offset: LogOffset, atMost count: Int) -> [LogReading<Chunk>.Item] {
            let start = max(offset, first).value
            let last = min(end.value, start - 1 + Int64(count))
            guard last >= start else { return [] }
            return (start...last).map { (LogOffset($0), chunks[Int($0 - 1)]) }.filter { !lost.contains($0.offset) }
        }
    }

    var partitions: [Partition] = []
    /// New processes spread banners over so many of the partitions.
    var partitioning = Partitioning(count: 1)!
    var isAway = false
    /// The chunks whose servers know that the brokers have them.
    var acknowledged: Set<ChunkName> = []
}

/// A message to the brokers: append these chunks.
struct BrokerCall {
    let id: Int
    let process: ProcessID
    let partition: Int
    let chunks: [Chunk]
    /// It was held up once.
    var isLate = false
}
