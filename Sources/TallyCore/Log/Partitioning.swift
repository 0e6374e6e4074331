// SPDX-License-Identifier: Apache-2.0

/// Which partition of a log a banner belongs to: always the same, so that its event ids meet in one place.
///
/// When the number of partitions changes, banners move. Their counts are still right, since an answer sums over all
/// partitions; but an event id that was seen before the change is not known behind it.
package struct Partitioning: Equatable, Sendable {
    /// At least 1, at most `Limits.partitions`.
    package let count: Int

    /// - Returns: nil when the number is out of range.
    package init?(count: Int) {
        guard (1...Limits.partitions).contains(count) else { return nil }
        self.count = count
    }

    /// From 0. Ids which follow each other spread evenly. It must never change: chunks of other versions lie in the log.
    package func partition(of banner: BannerID) -> Int {
        Int(UInt64(bitPattern: banner.value).mixed() % UInt64(count))
    }
}

extension NodeID {
    /// A process that writes to a log of several partitions is a node of its own in each: sequences have no gaps there,
    /// and the id tells where a chunk belongs, however often and from wherever it is sent.
    ///
    /// - Parameter process: never used before; its last 16 bits are replaced by the partition.
    package init(process: NodeID, partition: Int) {
        precondition((0..<Limits.partitions).contains(partition), "partitions are counted from 0")
        bits = process.bits & ~0xFFFF | UInt128(partition)
    }

    /// The partition that the chunks of this node belong to; only for ids that were made for one.
    package var partition: Int { Int(bits & 0xFFFF) }
}
