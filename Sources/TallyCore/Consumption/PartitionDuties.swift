// SPDX-License-Identifier: Apache-2.0

/// Decides which partitions a process counts, while assignments come and go faster than counting begins and ends.
///
///     (none) ──assign──► counting ──assign without it──► ending ──didEnd──► (none)
///                         │  ▲  ▲                           └─ assigned again meanwhile ─► counting
///                         │  │  └──────── retry ───────┐
///                         │  └─ begin again at once ───┤
///                         └──didEnd by itself──► waiting, or stopped until it is another's and ours again
///
/// A partition is never counted twice at a time by one process: it would do no harm, but take twice the memory. No I/O: the
/// owner does what each action says, and reports back.
package struct PartitionDuties: Sendable {
    package enum Action: Equatable, Sendable {
        /// Begin to count it, from the store's checkpoint.
        case begin(Int)
        /// Stop counting it, and drop what is not flushed; then call `didEnd`.
        case end(Int)
        /// After a while that grows with the failures, call `retry` with the same.
        case wait(Int, failures: Int)
    }

    /// How counting ended.
    package enum Ending: Equatable, Sendable {
        /// It was told to.
        case released
        /// What it has counted is of no use any more; from the checkpoint on it can go on at once.
        case outrun(String)
        /// The store or the log doesn't answer.
        case failed(String)
        /// A person has to look.
        case stopped(String)
    }

    private enum Phase: Equatable, Sendable {
        case counting
        case ending(isWanted: Bool)
        case waiting
        case stopped(String)

        var isEnding: Bool { if case .ending = self { true } else { false } }
    }

    private var phases: [Int: Phase] = [:]
    /// Failures in a row; nil since it was at the end of its log.
    private var failures: [Int: (count: Int, reason: String)] = [:]
    /// The partitions that were begun again since a chunk was missing, and were not complete at the end of their log since.
    private var reread: Set<Int> = []
    private var isClosed = false

    package init() {}

    /// The partitions that are this process's.
    package var assigned: Set<Int> {
        Set(phases.filter { $0.value != .ending(isWanted: false) }.keys)
    }

    /// Why this partition is not counted; nil while it is, or is another's.
    package func problem(of partition: Int) -> String? {
        switch phases[partition] {
        case .stopped(let reason): reason
        case .waiting, .counting: failures[partition]?.reason
        case .ending, nil: nil
        }
    }

    /// Nothing is to be done any more, and nothing goes on.
    package var isAtRest: Bool {
        !phases.values.contains { phase in
            switch phase {
            case .counting, .ending: true
            case .waiting, .stopped: false
            }
        }
    }

    /// - Parameter partitions: all that are this process's from now on.
    package mutating func assign(_ partitions: Set<Int>) -> [Action] {
        if isClosed { return [] }
        var actions: [Action] = []
        for partition in phases.keys.sorted() where !partitions.contains(partition) {
            if let action = release(partition) { actions.append(action) }
        }
        for partition in partitions.sorted() {
            switch phases[partition] {
            case nil: actions.append(begin(partition))
            case .ending: phases[partition] = .ending(isWanted: true)
            case .counting, .waiting, .stopped: break
            }
        }
        return actions
    }

    private mutating func release(_ partition: Int) -> Action? {
        failures[partition] = nil
        reread.remove(partition)
        switch phases[partition] {
        case .counting:
            phases[partition] = .ending(isWanted: false)
            return .end(partition)
        case .ending: phases[partition] = .ending(isWanted: false)
        case .waiting, .stopped: phases[partition] = nil
        case nil: break
        }
        return nil
    }

    /// It has counted up to an end of its log.
    /// - Parameter isComplete: no chunk is missing.
    package mutating func didCatchUp(_ partition: Int, isComplete: Bool = true) {
        if phases[partition] == .counting { failures[partition] = nil }
        if isComplete { reread.remove(partition) }
    }

    /// Whether a partition in whose log a chunk is missing is to be begun again, as one that was outrun: the first time, since another
    /// reading may find the chunk. After that its counting waits for the chunk.
    package mutating func shouldReadAgain(_ partition: Int) -> Bool {
        phases[partition] == .counting && reread.insert(partition).inserted
    }

    /// Counting has ended, as it was told to or by itself.
    package mutating func didEnd(_ partition: Int, _ ending: Ending) -> Action? {
        switch phases[partition] {
        case .ending(let isWanted):
            phases[partition] = nil
            return isWanted && !isClosed ? begin(partition) : nil
        case .counting: return didEndByItself(partition, ending)
        case .waiting, .stopped, nil: preconditionFailure("only what is counted ends")
        }
    }

    private mutating func didEndByItself(_ partition: Int, _ ending: Ending) -> Action? {
        switch ending {
        case .released:
            phases[partition] = nil
            return nil
        case .outrun(let reason) where failures[partition] == nil:
            // A first time costs nothing to try at once; a second one in a row may be for ever.
            failures[partition] = (1, reason)
            return begin(partition)
        case .outrun(let reason), .failed(let reason): return wait(partition, reason)
        case .stopped(let reason):
            phases[partition] = .stopped(reason)
            return nil
        }
    }

    private mutating func begin(_ partition: Int) -> Action {
        phases[partition] = .counting
        return .begin(partition)
    }

    private mutating func wait(_ partition: Int, _ reason: String) -> Action {
        let count = (failures[partition]?.count ?? 0) + 1
        failures[partition] = (count, reason)
        phases[partition] = .waiting
        return .wait(partition, failures: count)
    }

    /// The time of a `wait` is over. One that was overtaken by events changes nothing.
    package mutating func retry(_ partition: Int, failures count: Int) -> Action? {
        guard !isClosed, phases[partition] == .waiting, failures[partition]?.count == count else { return nil }
        return begin(partition)
    }

    /// The process stops: nothing begins any more, and whatever is counted ends by itself.
    package mutating func close() {
        isClosed = true
        phases = phases.filter { $0.value == .counting || $0.value.isEnding }
    }
}
