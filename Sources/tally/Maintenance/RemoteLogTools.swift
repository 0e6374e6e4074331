// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore

/// The tools for a log on servers of its own. They work beside running servers, and change nothing but what is confirmed.
struct RemoteLogTools: LogMaintenance {
    private static let bytesPerRead = 1 << 20

    let logs: any PartitionedLog
    let name: String
    let needs: LogNeeds
    /// nil when there is none.
    let openStore: @Sendable () async throws -> (any Store)?

    func verify(progress: (WorkProgress) throws -> Void) async throws -> MaintenanceReport {
        var facts = [MaintenanceReport.Fact(name: "log", value: name)]
        var problems: [String] = []
        let checkpoints = try await checkpoints()
        for partition in 0..<logs.partitioning.count {
            let survey = try await survey(partition, checkpoints.byPartition[partition], progress)
            facts.append(.init(name: "partition \(partition)", value: survey.text))
            if let damage = survey.damage { problems.append(damage) }
            if checkpoints.problem == nil {
                problems += MaintenanceReport.problems(of: "partition \(partition)", missing: survey.missing)
            }
        }
        // Without the checkpoints it is not known what was confirmed to be lost.
        if let problem = checkpoints.problem {
            facts.append(.init(name: "missing chunks", value: "not looked for: \(problem)"))
        }
        facts.append(.init(name: "passed over", value: NumberText.counted(logs.poisonedMessages, "message")))
        for warning in await logs.warnings(needs) { facts.append(.init(name: "warning", value: warning)) }
        return MaintenanceReport(facts: facts, problems: problems)
    }

    /// The store's checkpoints, or why they can't be read.
    private func checkpoints() async throws -> (byPartition: [Int: Checkpoint], problem: String?) {
        do {
            guard let store = try await openStore() else { return ([:], nil) }
            var byPartition: [Int: Checkpoint] = [:]
            for partition in 0..<logs.partitioning.count {
                byPartition[partition] = try await store.checkpoint(of: logs.log(of: partition).id)
            }
            try await store.close()
            return (byPartition, nil)
        } catch let error as StoreError {
            return ([:], error.description)
        }
    }

    func dump(partition: Int?, from offset: LogOffset, line: (String) throws -> Void) async throws {
        for number in try partitions(partition) { try await dump(number, from: offset, line: line) }
    }

    /// - Parameter chosen: nil for all of them.
    private func partitions(_ chosen: Int?) throws(CommandFailure) -> Range<Int> {
        let count = logs.partitioning.count
        guard let chosen else { return 0..<count }
        if chosen >= count { throw .usage(["--partition: allowed are 0 to \(count - 1)"]) }
        return chosen..<chosen + 1
    }

    func confirm(
        _ lost: LostChunks, partition: Int?, progress: (WorkProgress) throws -> Void
    ) async throws -> MaintenanceReport {
        guard let store = try await openStore() else {
            throw CommandFailure.failed("there is no store; --store names it")
        }
        var missing: [(name: String, chunks: [NodeID: SequenceRanges])] = []
        for number in try partitions(partition) {
            let survey = try await survey(number, try await store.checkpoint(of: logs.log(of: number).id), progress)
            missing.append(("partition \(number)", survey.missing))
        }
        if lost.isEmpty {
            try await store.close()
            return .missing(missing)
        }
        let all = missing.reduce(into: [NodeID: SequenceRanges]()) { all, next in all.merge(next.chunks) { $1 } }
        try lost.check(against: all)
        // The node of a chunk tells its partition.
        for (partition, chunks) in Dictionary(grouping: lost.chunks, by: \.key.partition) {
            let part = LostChunks(Dictionary(uniqueKeysWithValues: chunks.map { ($0.key, $0.value) }))
            _ = try await part.confirm(of: logs.log(of: partition).id, in: store)
        }
        try await store.close()
        return .confirmed(lost, rest: lost.rest(of: all))
    }

    private func dump(_ partition: Int, from offset: LogOffset, line: (String) throws -> Void) async throws {
        let end = try await logs.log(of: partition).end()
        var next: LogOffset? = offset
        while let start = next {
            let entries = try await entries(partition, from: start).get()
            for entry in entries { try line("partition=\(partition) \(JournalDump.text(entry))") }
            next = RemoteLogTools.next(after: entries, upTo: end)
        }
    }

    /// - Parameter checkpoint: the store's of this partition; nil when there is none.
    private func survey(
        _ partition: Int, _ checkpoint: Checkpoint?, _ progress: (WorkProgress) throws -> Void
    ) async throws -> LogSurvey {
        let end = try await logs.log(of: partition).end()
        var survey = LogSurvey(checkpoint: checkpoint)
        var next: LogOffset? = LogOffset.none
        while let start = next {
            let result = await entries(partition, from: start) { survey.note(beginning: $0) }
            if case .failure(.damaged(let reason)) = result {
                survey.note(damage: reason)
                return survey
            }
            let entries = try result.get()
            for entry in entries { survey.note(entry) }
            let done = min(entries.last?.offset.value ?? end.value, end.value)
            try progress(WorkProgress(done: done, total: end.value, unit: .things("offsets")))
            next = RemoteLogTools.next(after: entries, upTo: end)
        }
        return survey
    }

    /// - Parameter end: the end of the log when the scan began. The scan stops there, since the log may grow as fast as it is read.
    /// - Returns: nil when there is nothing more to read.
    private static func next(after entries: [LogEntry], upTo end: LogOffset) -> LogOffset? {
        entries.last.flatMap { $0.offset < end ? $0.offset.next : nil }
    }

    /// What there is from an offset on, or from where the log begins now; `[]` at its end.
    /// - Parameter isTrimmed: is told where the log begins when that is behind the offset.
    private func entries(
        _ partition: Int, from offset: LogOffset, isTrimmed: (LogOffset) -> Void = { _ in }
    ) async -> Result<[LogEntry], LogError> {
        let log = logs.log(of: partition)
        let result = await RemoteLogTools.read(log, from: offset)
        if case .failure(.trimmed(let first)) = result, offset < first {
            isTrimmed(first)
            return await RemoteLogTools.read(log, from: first)
        }
        return result
    }

    private static func read(_ log: any EventLog, from offset: LogOffset) async -> Result<[LogEntry], LogError> {
        do throws(LogError) {
            return .success(try await log.read(from: offset, maximumBytes: bytesPerRead))
        } catch {
            return .failure(error)
        }
    }

    func lag() async throws -> MaintenanceReport {
        guard let store = try await openStore() else {
            throw CommandFailure.failed("there is no store; --store names it")
        }
        var partitions: [LogLag.Partition] = []
        for partition in 0..<logs.partitioning.count {
            let log = logs.log(of: partition)
            let stored = try await store.checkpoint(of: log.id)?.upTo ?? .none
            partitions.append(
                .init(name: "partition \(partition)", end: try await log.end(), stored: stored))
        }
        try await store.close()
        return LogLag(partitions).report
    }

    func close() async { await logs.close() }
}
