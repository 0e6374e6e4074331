// SPDX-License-Identifier: Apache-2.0

/// Decides when a process that has just started has counted what its partitions held at that time.
///
///     partitions unknown ──assign──► pending ──didCatchUp of each──► over
///
/// It concerns the start alone: partitions that are assigned later, or fall behind later, change nothing.
package struct StartCatchUp: Equatable, Sendable {
    /// nil before the first assignment.
    private var assigned: Set<Int>?
    private var caughtUp: Set<Int> = []
    package private(set) var isOver = false

    package init() {}

    /// The partitions of this process that it has not counted up to the end that they had; nil before it knows its partitions.
    package var pending: Set<Int>? { assigned.map { $0.subtracting(caughtUp) } }

    /// - Parameter partitions: all that are this process's from now on. What goes to another process is that one's business.
    package mutating func assign(_ partitions: Set<Int>) {
        if isOver { return }
        assigned = partitions
        caughtUp.formIntersection(partitions)
        isOver = caughtUp == partitions
    }

    /// A partition is counted up to the end that its log had when reading began.
    package mutating func didCatchUp(_ partition: Int) {
        guard !isOver, let assigned, assigned.contains(partition) else { return }
        caughtUp.insert(partition)
        isOver = caughtUp == assigned
    }
}
