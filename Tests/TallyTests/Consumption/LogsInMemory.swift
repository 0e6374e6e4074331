// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// A log of several partitions in memory. A process has one of its own over the same partitions, and it may be cut off.
final class LogsInMemory: PartitionedLog {
    let partitioning: Partitioning
    let poisonedMessages = 0
    private let partitions: [FaultyLog]

    init(_ count: Int) {
        partitioning = Partitioning(count: count)!
        partitions = (0..<count).map { FaultyLog(MemoryLog(id: LogID("kafka:memory/\($0)")!)) }
    }

    private init(_ partitions: [FaultyLog], _ partitioning: Partitioning) {
        self.partitions = partitions
        self.partitioning = partitioning
    }

    /// The same partitions, as another process sees them.
    func forAnotherProcess() -> LogsInMemory { LogsInMemory(partitions.map { FaultyLog($0.inner) }, partitioning) }

    func log(of partition: Int) -> any EventLog { partitions[partition] }
    func warnings(_ needs: LogNeeds) async -> [String] { [] }
    func close() async {}

    /// Every reading of the partition ends like this from now on.
    func fail(_ partition: Int, _ error: LogError?) { partitions[partition].failure.withLock { $0 = error } }

    /// Readings of the partition lack these offsets from now on.
    /// - Parameter readings: how many times the log may be read from its beginning meanwhile.
    func hide(_ partition: Int, _ offsets: Set<Int64>, readings: Int) {
        partitions[partition].hidden.withLock { $0 = FaultyLog.Hidden(offsets: offsets, readings: readings) }
    }

    /// Before each read of the partition, this many chunks are appended. A read returns at most `readAtOnce` entries.
    func grow(_ partition: Int, by chunks: UInt64, readAtOnce: Int = .max) {
        partitions[partition].growth.withLock { ($0.chunks, $0.readAtOnce) = (chunks, readAtOnce) }
    }

    /// Readings of the partition wait from now on, or go on.
    func hold(_ partition: Int, _ isHeld: Bool) { partitions[partition].isHeld.withLock { $0 = isHeld } }
}

/// A log whose readings fail as a test says.
final class FaultyLog: EventLog {
    struct Hidden {
        var offsets: Set<Int64> = []
        var readings = 0
    }

    struct Growth {
        var chunks: UInt64 = 0
        var readAtOnce = Int.max
        var sequence: UInt64 = 0

        mutating func next() -> [Chunk] {
            (0..<chunks).map { _ in
                sequence += 1
                return SampleChunks.chunk(sequence, of: SampleChunks.other)
            }
        }
    }

    let inner: MemoryLog
    let growth = Mutex(Growth())
    let failure = Mutex<LogError?>(nil)
    let hidden = Mutex(Hidden())
    let isHeld = Mutex(false)

    init(_ inner: MemoryLog) { self.inner = inner }

    var id: LogID { inner.id }
    var durability: Durability { inner.durability }

    func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset] { try await inner.append(chunks) }

    func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry] {
        while isHeld.withLock({ $0 }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
        if let failure = failure.withLock({ $0 }) { throw failure }
        let growing = growth.withLock { $0.next() }
        // A read from servers takes time, too. A cancelled task ends, so that a time limit can end its test.
        if !growing.isEmpty, (try? await Task.sleep(for: .milliseconds(1))) == nil { throw .unavailable("cancelled") }
        _ = try await inner.append(growing)
        let readAtOnce = growth.withLock { $0.readAtOnce }
        let entries = try await inner.read(from: offset, maximumBytes: maximumBytes).prefix(readAtOnce)
        return hidden.withLock { hidden in
            if offset == LogOffset(1) {
                hidden.readings -= 1
                if hidden.readings < 0 { hidden.offsets = [] }
            }
            return entries.filter { !hidden.offsets.contains($0.offset.value) }
        }
    }

    func end() async throws(LogError) -> LogOffset { try await inner.end() }
    func trim(before offset: LogOffset) async throws(LogError) { try await inner.trim(before: offset) }
}

/// A group whose assignments a test decides.
final class ManualGroup: PartitionGroup {
    let assignments: AsyncStream<Set<Int>>
    private let told: AsyncStream<Set<Int>>.Continuation
    private let commits = Mutex<[Int: LogOffset]>([:])

    init() { (assignments, told) = AsyncStream.makeStream() }

    func assign(_ partitions: Set<Int>) { told.yield(partitions) }

    /// What was committed last, by partition.
    var committed: [Int: LogOffset] { commits.withLock { $0 } }

    var problem: String? { nil }
    func commit(_ offset: LogOffset, of partition: Int) { commits.withLock { $0[partition] = offset } }
    func leave() async { told.finish() }
}
