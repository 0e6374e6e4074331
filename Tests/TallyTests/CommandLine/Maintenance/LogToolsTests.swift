// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyBackends
import TallyCore
import Testing

@testable import tally

/// Logs in memory, as if they were on servers.
private struct MemoryLogs: PartitionedLog {
    let partitioning = Partitioning(count: 2)!
    let poisonedMessages = 0
    let logs = [MemoryLog(id: LogID("t/0")!), MemoryLog(id: LogID("t/1")!)]

    func log(of partition: Int) -> any EventLog { logs[partition] }
    func warnings(_ needs: LogNeeds) async -> [String] { ["keeps chunks for less than \(needs.retention)"] }
    func close() async {}
}

@Suite("tally log")
struct LogToolsTests {
    private let logs = MemoryLogs()
    private let directory: DiskTestDirectory

    init() throws { directory = try DiskTestDirectory() }

    private let needs = LogNeeds(deduplicationWindow: .seconds(3_600), flushEvery: .seconds(60))

    private var storePath: String { "\(directory.path)/tally.sqlite" }

    private func tools(hasStore: Bool = true) -> RemoteLogTools {
        let path = storePath
        return RemoteLogTools(logs: logs, name: "kafka://a:9092/t", needs: needs) {
            hasStore ? try SQLiteStore(path: path, layout: .minute) : nil
        }
    }

    private func fact(_ name: String, in report: MaintenanceReport) -> String? {
        report.facts.first { $0.name == name }?.value
    }

    @Test func verifySaysWhatThereIs() async throws {
        let node = SampleChunks.other
        let chunks = SampleChunks.chunks(1...3) + SampleChunks.chunks(2...2) + SampleChunks.chunks(7...9, of: node)
        _ = try await logs.logs[0].append(chunks)
        let bytes = chunks.reduce(0) { $0 + $1.encoded().count }
        let report = try await tools().verify { _ in }
        #expect(report.problems.isEmpty)
        #expect(fact("log", in: report) == "kafka://a:9092/t")
        // A sample's count is its sequence.
        #expect(
            fact("partition 0", in: report)
                == "7 chunks of \(bytes) bytes, 30 events, offsets 1 to 7, 1 repeated, 6 not there",
            "\(report.facts)")
        #expect(fact("partition 1", in: report) == "empty")
        #expect(fact("passed over", in: report) == "0 messages")
        #expect(fact("warning", in: report) == "keeps chunks for less than 3600.0 seconds")
    }

    @Test func aLogThatWasTrimmedIsReadFromItsBeginning() async throws {
        let offsets = try await logs.logs[1].append(SampleChunks.chunks(1...9))
        try await logs.logs[1].trim(before: offsets[6])
        let report = try await tools().verify { _ in }
        #expect(fact("partition 1", in: report)?.hasPrefix("3 chunks of ") == true)
        #expect(fact("partition 1", in: report)?.contains(" bytes, 24 events, offsets 7 to 9") == true)
    }

    @Test("a log that grows as fast as it is read is read to the end that it had", .timeLimit(.minutes(1)))
    func busyLog() async throws {
        let busy = LogsInMemory(1)
        _ = try await busy.log(of: 0).append(SampleChunks.chunks(1...5))
        busy.grow(0, by: 1, readAtOnce: 2)
        let tools = RemoteLogTools(logs: busy, name: "kafka://a:9092/t", needs: needs) { nil }
        let report = try await tools.verify { _ in }
        #expect(fact("partition 0", in: report)?.contains("offsets 1 to 6") == true, "\(report.facts)")
        var lines = 0
        try await tools.dump(partition: nil, from: LogOffset(1)) { _ in lines += 1 }
        #expect(lines == 8)
    }

    @Test func dumpPrintsAPartitionOrAll() async throws {
        _ = try await logs.logs[0].append(SampleChunks.chunks(1...3))
        _ = try await logs.logs[1].append(SampleChunks.chunks(4...5))
        func dump(_ partition: Int?, from offset: Int64) async throws -> [String] {
            var lines: [String] = []
            try await tools().dump(partition: partition, from: LogOffset(offset)) { lines.append($0) }
            return lines
        }
        let all = try await dump(nil, from: 2)
        #expect(all.map { $0.prefix(20) } == ["partition=0 offset=2", "partition=0 offset=3", "partition=1 offset=2"])
        #expect(try await dump(1, from: 0).count == 2)
        await #expect(throws: CommandFailure.usage(["--partition: allowed are 0 to 1"])) {
            _ = try await dump(2, from: 0)
        }
    }

    @Test func lagIsWhatTheStoreLacks() async throws {
        _ = try await logs.logs[0].append(SampleChunks.chunks(1...5))
        _ = try await logs.logs[1].append(SampleChunks.chunks(1...4))
        let store = try SQLiteStore(path: storePath, layout: .minute)
        var checkpoint = Checkpoint.start
        checkpoint.upTo = LogOffset(3)
        try await store.save(checkpoint, of: logs.logs[0].id)
        try store.close()
        let report = try await tools().lag()
        #expect(
            fact("partition 0", in: report) == "2 behind: the log ends at offset 5, the store has all up to 3")
        #expect(
            fact("partition 1", in: report) == "4 behind: the log ends at offset 4, the store has all up to 0")
        #expect(fact("behind", in: report) == "6" && report.problems.isEmpty)
        await #expect(throws: CommandFailure.failed("there is no store; --store names it")) {
            _ = try await tools(hasStore: false).lag()
        }
    }

    @Test func aLogBehindItsStoreIsAProblem() {
        let report = LogLag([.init(name: "partition 0", end: LogOffset(3), stored: LogOffset(9))]).report
        #expect(report.problems.count == 1 && report.facts.last?.value == "0")
    }

    @Test func theJournalIsALogToo() async throws {
        let data = "\(directory.path)/data"
        let journal = try await JournalLog.open(in: DataDirectory(path: data), newIdentity: SampleChunks.node)
        let id = journal.id
        _ = try await journal.append(SampleChunks.chunks(1...5))
        let store = try SQLiteStore(path: "\(data)/tally.sqlite", layout: .minute)
        var checkpoint = Checkpoint.start
        checkpoint.upTo = LogOffset(2)
        try await store.save(checkpoint, of: id)
        try store.close()
        try FileManager.default.copyItem(atPath: data, toPath: "\(directory.path)/copy")
        let place = ["--data", "\(directory.path)/copy"]
        let lag = await run(["log", "lag"] + place)
        #expect(lag.contains("3 behind: the log ends at offset 5, the store has all up to 2"), "\(lag)")
        #expect(await run(["log", "verify"] + place).contains("chunks"))
        #expect(await run(["log", "dump", "--from", "4"] + place).split(separator: "\n").count == 2)
    }

    /// What the tools print, without a process.
    private func run(_ arguments: [String]) async -> String {
        do {
            let place = DataPlace(
                directory: arguments[arguments.count - 1],
                store: .sqlite(path: "\(arguments[arguments.count - 1])/tally.sqlite"))
            let tools = try await Wiring.logMaintenance(LogPlace(log: .journal, needs: needs, files: place))
            switch arguments[1] {
            case "lag": return MaintenanceRun.text(try await tools.lag())
            case "verify": return MaintenanceRun.text(try await tools.verify { _ in })
            default:
                var lines: [String] = []
                try await tools.dump(partition: nil, from: LogOffset(4)) { lines.append($0) }
                return lines.joined(separator: "\n")
            }
        } catch { return "\(error)" }
    }
}
