// SPDX-License-Identifier: Apache-2.0

/// Tells a process which partitions of a log it counts, and lets others see how far it has come.
///
/// Nothing depends on its being right: two processes that count one partition do no harm, and what nobody counts stays in
/// the log.
package protocol PartitionGroup: Sendable {
    /// All partitions that are this process's from now on, each time that they change. For one reader; it ends when the
    /// group was left.
    var assignments: AsyncStream<Set<Int>> { get }

    /// Everything before this offset is in the store. For those who watch the lag; nobody begins to read there.
    func commit(_ offset: LogOffset, of partition: Int)

    /// Why the group can't be reached; nil while it can.
    var problem: String? { get }

    /// The partitions are free for others at once, and not only when they have missed this process.
    func leave() async
}

/// Where nobody shares out partitions: they are given.
package struct FixedPartitions: PartitionGroup {
    package let assignments: AsyncStream<Set<Int>>
    private let end: AsyncStream<Set<Int>>.Continuation

    package init(_ partitions: Set<Int>) {
        (assignments, end) = AsyncStream.makeStream()
        end.yield(partitions)
    }

    package var problem: String? { nil }

    package func commit(_ offset: LogOffset, of partition: Int) {}

    package func leave() async { end.finish() }
}
