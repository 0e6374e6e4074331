// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// A log of several partitions in memory, whose brokers do as a test says.
final class FaultyLogs: PartitionedLog {
    /// What becomes of an append.
    enum Fault: Equatable, Sendable {
        /// Nothing is written.
        case refuses
        /// Nothing is written, and nobody says so.
        case isAway
        /// It is written, and nobody says so.
        case losesAnswers
        /// As `isAway`, and for good.
        case hasFailed
    }

    private struct State {
        var faults: [Int: Fault] = [:]
        /// Appends wait.
        var isSlow = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// Appends so far, by partition, also those that failed.
        var appends: [Int: Int] = [:]
    }

    final class Partition: EventLog {
        let id: LogID
        let durability = Durability.quorum
        fileprivate let number: Int
        fileprivate unowned let logs: FaultyLogs
        private let inner: MemoryLog

        fileprivate init(_ number: Int, of logs: FaultyLogs) {
            self.number = number
            self.logs = logs
            id = LogID("memory/\(number)")!
            inner = MemoryLog(id: id)
        }

        func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset] {
            let fault = await logs.begin(number)
            switch fault {
            case .refuses: throw .refused("no broker is there")
            case .isAway: throw .unavailable("no broker answers")
            case .hasFailed: throw .failed("the producer can't go on")
            case .losesAnswers:
                _ = try await inner.append(chunks)
                throw .unavailable("the answer was lost")
            case nil: return try await inner.append(chunks)
            }
        }

        func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry] {
            try await inner.read(from: offset, maximumBytes: maximumBytes)
        }

        func end() async throws(LogError) -> LogOffset {
            if logs.fault(of: number) != nil { throw .unavailable("no broker answers") }
            return try await inner.end()
        }

        func trim(before offset: LogOffset) async throws(LogError) { try await inner.trim(before: offset) }

        var entries: [LogEntry] {
            get async throws { try await inner.read(from: LogOffset(1), maximumBytes: .max) }
        }
    }

    let partitioning: Partitioning
    let poisonedMessages = 0
    private let state = Mutex(State())
    private let opened = Mutex<[Partition]>([])

    let largestChunk: Int

    init(partitions: Int = 4, largestChunk: Int = Limits.chunkBytes) {
        self.largestChunk = largestChunk
        partitioning = Partitioning(count: partitions)!
        opened.withLock { $0 = (0..<partitions).map { Partition($0, of: self) } }
    }

    func log(of partition: Int) -> any EventLog { self.partition(partition) }
    func partition(_ number: Int) -> Partition { opened.withLock { $0[number] } }
    func warnings(_ needs: LogNeeds) async -> [String] { [] }
    func close() async {}

    // MARK: Faults

    /// - Parameter partition: nil for all.
    func set(_ fault: Fault?, partition: Int? = nil) {
        state.withLock { state in
            for number in 0..<partitioning.count where partition ?? number == number { state.faults[number] = fault }
        }
    }

    /// Appends wait from now on, or go on.
    func setSlow(_ isSlow: Bool) {
        let waiting = state.withLock { state in
            state.isSlow = isSlow
            defer { if !isSlow { state.waiting = [] } }
            return isSlow ? [] : state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func appends(of partition: Int) -> Int { state.withLock { $0.appends[partition] ?? 0 } }
    var waitingAppends: Int { state.withLock { $0.waiting.count } }

    fileprivate func fault(of partition: Int) -> Fault? { state.withLock { $0.faults[partition] } }

    private func begin(_ partition: Int) async -> Fault? {
        state.withLock { $0.appends[partition, default: 0] += 1 }
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                if state.isSlow { state.waiting.append(continuation) }
                return state.isSlow
            }
            if !waits { continuation.resume() }
        }
        return fault(of: partition)
    }

    // MARK: What is in it

    /// What counts, by banner: each chunk once, however often it stands there.
    var counts: [Int64: Int64] {
        get async throws {
            var counts: [Int64: Int64] = [:]
            for number in 0..<partitioning.count {
                var seen: [NodeID: SequenceRanges] = [:]
                for entry in try await partition(number).entries {
                    precondition(entry.chunk.node.partition == number, "a chunk lies in its partition")
                    guard seen[entry.chunk.node, default: SequenceRanges()].insert(entry.chunk.sequence) else {
                        continue
                    }
                    for delta in entry.chunk.deltas + entry.chunk.identified.map(\.delta) {
                        counts[delta.banner.value, default: 0] += delta.count
                    }
                }
            }
            return counts
        }
    }
}
