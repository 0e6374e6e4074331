// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore

/// The tools for a log on servers of its own. They change nothing, and work beside running servers.
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
        for partition in 0..<logs.partitioning.count {
            let survey = try await survey(partition, progress)
            facts.append(.init(name: "partition \(partition)", value: survey.text))
            if let damage = survey.damage { problems.append(damage) }
        }
        facts.append(.init(name: "passed over", value: NumberText.counted(logs.poisonedMessages, "message")))
        for warning in await logs.warnings(needs) { facts.append(.init(name: "warning", value: warning)) }
        return MaintenanceReport(facts: facts, problems: problems)
    }

    func dump(partition: Int?, from offset: LogOffset, line: (String) throws -> Void) async throws {
        let count = logs.partitioning.count
        if let partition, partition >= count {
            throw CommandFailure.usage(["--partition: allowed are 0 to \(count - 1)"])
        }
        for number in 0..<count where partition == nil || partition == number {
            try await dump(number, from: offset, line: line)
        }
    }

    private func dump(_ partition: Int, from offset: LogOffset, line: (String) throws -> Void) async throws {
        var next: LogOffset? = offset
        while let start = next {
            let entries = try await entries(partition, from: start).get()
            for entry in entries { try line("partition=\(partition) \(JournalDump.text(entry))") }
            next = entries.last?.offset.next
        }
    }

    private func survey(_ partition: Int, _ progress: (WorkProgress) throws -> Void) async throws -> LogSurvey {
        let end = try await logs.log(of: partition).end()
        var survey = LogSurvey()
        var next: LogOffset? = LogOffset.none
        while let start = next {
            let result = await entries(partition, from: start)
            if case .failure(.damaged(let reason)) = result {
                survey.note(damage: reason)
                return survey
            }
            let entries = try result.get()
            for entry in entries { survey.note(entry) }
            let done = entries.last?.offset.value ?? end.value
            try progress(WorkProgress(done: done, total: end.value, unit: .things("offsets")))
            next = entries.last?.offset.next
        }
        return survey
    }

    /// What there is from an offset on, or from where the log begins now; `[]` at its end.
    private func entries(_ partition: Int, from offset: LogOffset) async -> Result<[LogEntry], LogError> {
        let log = logs.log(of: partition)
        let result = await RemoteLogTools.read(log, from: offset)
        if case .failure(.trimmed(let first)) = result, offset < first {
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
