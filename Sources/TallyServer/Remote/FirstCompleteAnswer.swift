// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle
import Synchronization
import TallyCore

/// Asks the servers that count, as a query does, until an answer lacks nothing that the log held at the start. For a process that only
/// answers.
final class FirstCompleteAnswer: Service {
    private static let interval = Duration.milliseconds(500)

    private let query: Query
    private let logs: any PartitionedLog
    /// Why an answer would not be complete; empty after the first one that was.
    private let reasons = Mutex(["the servers that count were not asked yet"])

    init(of query: Query, over logs: any PartitionedLog) {
        self.query = query
        self.logs = logs
    }

    var lacking: [String] { reasons.withLock { $0 } }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.ask() }
            group.addTask { try? await gracefulShutdown() }
            await group.next()
            group.cancelAll()
        }
        // A service that ends by itself ends the process.
        try? await gracefulShutdown()
    }

    private func ask() async {
        var ends: [LogID: LogOffset] = [:]
        while !Task.isCancelled {
            let behind = await query.behind(upTo: ends)
            reasons.withLock { $0 = behind.map { "partition \($0.partition): \($0.reason)" } }
            if behind.isEmpty { return }
            await askForEnds(of: behind.map(\.partition), into: &ends)
            try? await Task.sleep(for: FirstCompleteAnswer.interval)
        }
    }

    /// A server that reads more slowly than the log grows never comes to its end, but to the one that it had at the start.
    private func askForEnds(of partitions: [Int], into ends: inout [LogID: LogOffset]) async {
        for log in partitions.map({ logs.log(of: $0) }) where ends[log.id] == nil {
            ends[log.id] = try? await log.end()
        }
    }
}
