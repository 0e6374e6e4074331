// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle
import Synchronization
import TallyCore

/// Asks those that count, as a query does, until an answer lacks nothing for the first time. For a process that only answers.
final class FirstCompleteAnswer: Service {
    private static let interval = Duration.milliseconds(500)

    private let query: Query
    /// Why an answer would not be complete; empty after the first one that was.
    private let reasons = Mutex(["the servers that count were not asked yet"])

    init(of query: Query) { self.query = query }

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
        while !Task.isCancelled {
            let behind = await query.behind()
            reasons.withLock { $0 = behind.map { "partition \($0.partition): \($0.reason)" } }
            if behind.isEmpty { return }
            try? await Task.sleep(for: FirstCompleteAnswer.interval)
        }
    }
}
