// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore
import Testing

@testable import tally

/// Two partitions in memory, as if they were on servers.
private struct MemoryLogs: PartitionedLog {
    let partitioning = Partitioning(count: 2)!
    let poisonedMessages = 0
    let logs = [MemoryLog(id: LogID("t/0")!), MemoryLog(id: LogID("t/1")!)]

    func log(of partition: Int) -> any EventLog { logs[partition] }
    func warnings(_ needs: LogNeeds) async -> [String] { [] }
    func close() async {}
}

@Suite("Chunks that a log lacks")
struct LogConfirmTests {
    private let logs = MemoryLogs()
    private let directory: DiskTestDirectory
    private static let nodes = (0..<2).map { NodeID(process: SampleChunks.node, partition: $0) }

    init() throws { directory = try DiskTestDirectory() }

    private var storePath: String { "\(directory.path)/tally.sqlite" }

    private func tools(hasStore: Bool = true) -> RemoteLogTools {
        let path = storePath
        let needs = LogNeeds(deduplicationWindow: .seconds(3_600), flushEvery: .seconds(60))
        return RemoteLogTools(logs: logs, name: "nats://a/t", needs: needs) {
            hasStore ? try SQLiteStore(path: path, layout: .minute) : nil
        }
    }

    private func chunk(_ sequence: UInt64, of node: NodeID, unsettled: [ClosedRange<UInt64>] = []) -> Chunk {
        var chunk = SampleChunks.chunk(sequence, of: node)
        chunk.unsettled = SequenceRanges(unsettled)
        return chunk
    }

    private func append(_ partition: Int, _ chunks: [(UInt64, [ClosedRange<UInt64>])]) async throws {
        let node = Self.nodes[partition]
        _ = try await logs.logs[partition].append(chunks.map { chunk($0.0, of: node, unsettled: $0.1) })
    }

    private func values(_ name: String, in report: MaintenanceReport) -> [String] {
        report.facts.filter { $0.name == name }.map(\.value)
    }

    private func confirm(_ arguments: String..., partition: Int? = nil) async throws -> MaintenanceReport {
        let lost = try LostChunks(arguments: arguments)
        return try await tools().confirm(lost, partition: partition) { _ in }
    }

    private func savedCheckpoint(_ partition: Int) async throws -> Checkpoint? {
        let store = try SQLiteStore(path: storePath, layout: .minute)
        let checkpoint = try await store.checkpoint(of: logs.logs[partition].id)
        try store.close()
        return checkpoint
    }

    private func save(_ checkpoint: Checkpoint, _ partition: Int) async throws {
        let store = try SQLiteStore(path: storePath, layout: .minute)
        try await store.save(checkpoint, of: logs.logs[partition].id)
        try store.close()
    }

    @Test func verifyNamesThemAndTellsThemFromWhatWasGivenUp() async throws {
        try await append(0, [(1, []), (4, [2...2])])
        try await append(1, [(3, [1...2])])
        let report = try await tools(hasStore: false).verify { _ in }
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.hasPrefix("partition 0 lacks the chunks \(Self.nodes[0]):3,") == true)
        #expect(values("partition 0", in: report).first?.hasSuffix("2 not there (1 given up or in a spool)") == true)
        #expect(values("partition 1", in: report).first?.hasSuffix("2 not there (2 given up or in a spool)") == true)
    }

    @Test func aTrimmedLogIsJudgedByTheCheckpointAlone() async throws {
        try await append(0, [(1, []), (2, []), (4, [])])
        try await logs.logs[0].trim(before: LogOffset(3))
        #expect(try await tools(hasStore: false).verify { _ in }.problems.isEmpty)
        var checkpoint = Checkpoint.start
        checkpoint.upTo = LogOffset(2)
        checkpoint.sequences = [Self.nodes[0]: SequenceRanges(1...2)]
        try await save(checkpoint, 0)
        #expect(try await tools().verify { _ in }.problems.count == 1)
        checkpoint.sequences = [Self.nodes[0]: SequenceRanges(1...3)]
        try await save(checkpoint, 0)
        #expect(try await tools().verify { _ in }.problems.isEmpty)
    }

    @Test func withoutChunksTheyAreListedAndNothingIsChanged() async throws {
        try await append(0, [(1, []), (4, [])])
        let report = try await confirm()
        #expect(values("partition 0", in: report) == ["missing: \(Self.nodes[0]):2-3"])
        #expect(values("partition 1", in: report) == ["no chunk is missing"])
        #expect(try await confirm(partition: 1).facts.map(\.name) == ["partition 1"])
        #expect(try await savedCheckpoint(0) == nil)
    }

    @Test func whatIsConfirmedIsInTheCheckpointAndMissingNoMore() async throws {
        try await append(0, [(1, []), (5, []), (7, [])])
        var checkpoint = Checkpoint.start
        checkpoint.upTo = LogOffset(1)
        checkpoint.sequences = [Self.nodes[0]: SequenceRanges(1...1)]
        checkpoint.confirmedMissing = [SampleChunks.other: SequenceRanges(9...9)]
        try await save(checkpoint, 0)
        let report = try await confirm("\(Self.nodes[0]):2-3,6")
        #expect(values("confirmed", in: report) == ["\(Self.nodes[0]):2-3,6"])
        #expect(values("still missing", in: report) == ["\(Self.nodes[0]):4"])
        #expect(values("note", in: report).first?.contains("lost") == true)
        checkpoint.confirmedMissing[Self.nodes[0]] = SequenceRanges([2...3, 6...6])
        #expect(try await savedCheckpoint(0) == checkpoint, "the rest of the checkpoint stays")
        _ = try await confirm("\(Self.nodes[0]):4")
        #expect(try await tools().verify { _ in }.problems.isEmpty)
        #expect(
            try await values("partition 0", in: tools().verify { _ in }).first?
                .hasSuffix("4 not there (4 confirmed to be lost)") == true)
    }

    @Test func whatIsNotMissingIsNotConfirmed() async throws {
        try await append(0, [(1, []), (3, [])])
        let node = Self.nodes[0]
        await #expect(throws: CommandFailure.usage(["\(node):3 is not missing; missing are \(node):2"])) {
            _ = try await confirm("\(node):2-3")
        }
        await #expect(throws: CommandFailure.usage(["\(Self.nodes[1]):2 is not missing; nothing is"])) {
            _ = try await confirm("\(Self.nodes[1]):2", partition: 1)
        }
        #expect(try await savedCheckpoint(0) == nil)
    }

    @Test func whatNamesNoChunksIsRefusedWithWhatIsAllowed() throws {
        let node = "\(SampleChunks.node)"
        for wrong in ["", "7", node, "\(node):", "\(node):0", "\(node):3-2", "\(node):1-2-3", "\(node):1,,2", "x:1"] {
            #expect(throws: CommandFailure.usage(["“\(wrong)” names no chunks; allowed: \(LostChunks.allowed)"])) {
                try LostChunks(arguments: [wrong])
            }
        }
        let read = try LostChunks(arguments: ["\(node):1-2,9", "\(node):3"])
        #expect(read.chunks == [SampleChunks.node: SequenceRanges([1...3, 9...9])!])
    }

    @Test func theJournalOfAStoppedServerAndItsCopyOfTheCheckpoint() async throws {
        let data = "\(directory.path)/data"
        let identity = SampleChunks.node
        let id = LogID(journal: identity)
        do {
            let journal = try await JournalLog.open(in: DataDirectory(path: data), newIdentity: identity)
            _ = try await journal.append([chunk(1, of: identity), chunk(4, of: identity)])
        }
        let store = try SQLiteStore(path: "\(data)/tally.sqlite", layout: .minute)
        try await store.save(.start, of: id)
        let place = DataPlace(directory: data, store: .sqlite(path: "\(data)/tally.sqlite"))
        func tools() throws -> any JournalMaintenance { try Wiring.journalMaintenance(place) }
        #expect(try await tools().verify { _ in }.problems.count == 1)
        #expect(values("\(id)", in: try await tools().confirm(LostChunks())) == ["missing: \(identity):2-3"])
        _ = try await tools().confirm(try LostChunks(arguments: ["\(identity):2-3"]))
        #expect(try await tools().verify { _ in }.problems.isEmpty)
        let saved = try await store.checkpoint(of: id)
        #expect(saved?.confirmedMissing == [identity: SequenceRanges(2...3)])
        try store.close()
        let copy = await CheckpointFile(in: try DataDirectory(existing: data)).read(of: id)
        #expect(copy == saved)
    }
}
