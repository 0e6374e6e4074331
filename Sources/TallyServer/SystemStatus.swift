// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// How the process is doing, in numbers.
package struct SystemStatus: Sendable {
    /// What it is called.
    package var log: String
    /// The last chunk that was counted; nil where nobody counts.
    package var counted: LogOffset?
    /// The last chunk that is in the store.
    package var stored: LogOffset?
    package var logTime: Timestamp
    /// Why the log takes nothing any more; nil while it works.
    package var logFailure: String?
    package var statistics: Aggregation.Statistics
    /// Events that could not be made durable.
    package var refused: Int
    /// nil where nobody writes to it.
    package var store: StoreKeeper.Health?
    /// Of a journal, the chunks that it lacks though it should have them, by node.
    package var missing: [NodeID: SequenceRanges] = [:]
    /// Of a remote log, those that this process counts.
    package var partitions: [PartitionStatus] = []
    /// How events come to a remote log; nil where they don't.
    package var delivery: DeliveryStatus?

    package init(
        log: String, counted: LogOffset?, stored: LogOffset?, logTime: Timestamp, logFailure: String?,
        statistics: Aggregation.Statistics, refused: Int, store: StoreKeeper.Health?,
        missing: [NodeID: SequenceRanges] = [:], delivery: DeliveryStatus? = nil
    ) {
        self.log = log
        self.counted = counted
        self.stored = stored
        self.logTime = logTime
        self.logFailure = logFailure
        self.statistics = statistics
        self.refused = refused
        self.store = store
        self.missing = missing
        self.delivery = delivery
    }
}
