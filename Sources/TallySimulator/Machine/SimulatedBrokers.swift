// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A log of several partitions that machines of their own keep safely; their answers are not safe.
struct SimulatedBrokers {
    struct Partition {
        let account: Int
        let log: LogID
        /// The machine that counts it; another may not have heard that it doesn't any more.
        var owner: Int
        var chunks: [Chunk] = []
        /// What stood before was dropped.
        var first = LogOffset(1)

        var end: LogOffset { LogOffset(Int64(chunks.count)) }

        mutating func append(_ chunk: Chunk) -> LogEntry {
            chunks.append(chunk)
            return LogEntry(offset: end, chunk: chunk)
        }

        func read(from offset: LogOffset, most: Int) throws(LogError) -> [LogEntry] {
            guard offset >= first else { throw .trimmed(first: first) }
            let last = min(end.value, offset.value - 1 + Int64(most))
            guard last >= offset.value else { return [] }
            return (offset.value...last).map { LogEntry(offset: LogOffset($0), chunk: chunks[Int($0 - 1)]) }
        }
    }

    var partitions: [Partition] = []
    /// New processes spread banners over so many of the partitions.
    var partitioning = Partitioning(count: 1)!
    var isAway = false
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
