// SPDX-License-Identifier: Apache-2.0

/// A log of several partitions on servers of its own, as one process holds it, until it is closed. Each partition is an
/// `EventLog`: a topic of Kafka, or the streams of JetStream that belong together.
package protocol PartitionedLog: Sendable {
    var partitioning: Partitioning { get }
    /// Messages that were passed over in all partitions, since they are no chunks to be counted there.
    var poisonedMessages: Int { get }

    /// In encoded bytes; a longer chunk is refused for good.
    var largestChunk: Int { get }

    /// - Parameter partition: from 0.
    func log(of partition: Int) -> any EventLog

    /// What is set so that counts could be lost, each with what mends it. Nothing of it stops Tally.
    func warnings(_ needs: LogNeeds) async -> [String]

    /// Who counts which partitions from now on.
    /// - Parameter partitions: those that this process is to count; nil where the log's servers may share them out, and for
    ///   all where they can't.
    func join(_ partitions: Set<Int>?) async throws(LogError) -> any PartitionGroup

    /// Lets go of all connections. Nothing may be asked of the logs any more.
    func close() async
}

extension PartitionedLog {
    package var largestChunk: Int { Limits.chunkBytes }

    package func join(_ partitions: Set<Int>?) async throws(LogError) -> any PartitionGroup {
        FixedPartitions(partitions ?? Set(0..<partitioning.count))
    }
}

/// What a remote log must do for Tally.
package struct LogNeeds: Equatable, Sendable {
    /// How long a chunk must be kept at least: the window of deduplication is read again at each start, and what a flush has
    /// not stored yet stands in the log alone.
    package var retention: Duration

    package init(deduplicationWindow: Duration, flushEvery: Duration) {
        retention = max(deduplicationWindow, flushEvery)
    }
}
