// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// How a partition is doing that is this process's.
package struct PartitionStatus: Sendable {
    package var partition: Int
    package var log: LogID
    /// nil while it begins.
    package var progress: PartitionProgress?
    /// As it was asked for last; nil before.
    package var end: LogOffset?
    /// Why it is not counted up to the end of its log; nil when it is.
    package var problem: String?

    /// How many chunks are in the log and not counted.
    package var lag: Int64? {
        guard let end, let progress else { return nil }
        return max(0, end.value - progress.counted.value)
    }
}

/// How far a partition is counted.
package struct PartitionProgress: Sendable {
    package var counted: LogOffset
    package var stored: LogOffset
    package var time: Timestamp
    package var statistics: Aggregation.Statistics
    package var store: StoreKeeper.Health
    /// The chunks that the log lacks though it should have them, by node.
    package var missing: [NodeID: SequenceRanges]
}
