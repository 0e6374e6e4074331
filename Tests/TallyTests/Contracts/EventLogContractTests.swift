// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import Testing

@testable import TallyCore

/// An implementation of a log, and how to make a new and empty one in a directory.
struct EventLogSubject: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (DiskTestDirectory) async throws -> any EventLog
}

/// A journal on a disk in memory, with the calls of the contract.
private actor FaultyJournalLog: EventLog {
    nonisolated let id = LogID(journal: JournalBench.identity)
    nonisolated let durability = Durability.disk
    private let journal: Journal

    init() throws { journal = try JournalBench().open() }

    func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset] { try journal.append(chunks) }
    func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry] {
        try journal.read(from: offset, maximumBytes: maximumBytes)
    }
    func end() async throws(LogError) -> LogOffset { journal.lastOffset }
    func trim(before offset: LogOffset) async throws(LogError) { try journal.trim(before: offset) }
}

@Suite("Every log keeps the contract")
struct EventLogContractTests {
    static let subjects = [
        EventLogSubject(testDescription: "memory") { _ in MemoryLog(id: LogID("memory")!) },
        EventLogSubject(testDescription: "journal in memory, small segments") { _ in try FaultyJournalLog() },
        EventLogSubject(testDescription: "journal on disk, small segments") { directory in
            try await JournalLog.open(
                in: DataDirectory(path: directory.path), settings: JournalSettings(segmentBytes: 4096)!,
                newIdentity: SampleChunks.node)
        },
        EventLogSubject(testDescription: "journal on disk") { directory in
            try await JournalLog.open(in: DataDirectory(path: directory.path), newIdentity: SampleChunks.node)
        },
    ]

    @Test("log", arguments: subjects, EventLogSuite.promises)
    func eventLogKeeps(_ subject: EventLogSubject, _ promise: EventLogSuite.Promise) async throws {
        let directory = try DiskTestDirectory()
        try await promise.check(EventLogSuite(log: try await subject.make(directory)))
    }
}
