// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Clicks without a pause; every one must be acknowledged.
final class ClickLoad: Sendable {
    static let banners = [1, 2, 3, 4]

    private let client: EndToEndClient
    private let counts = Mutex<[Int: Int]>([:])
    private let isEnding = Atomic(false)

    init(client: EndToEndClient) { self.client = client }

    var acknowledged: Int { counts.withLock { $0.values.reduce(0, +) } }
    func acknowledged(of banner: Int) -> Int { counts.withLock { $0[banner] ?? 0 } }

    /// - Parameter body: meanwhile; when it ends, so does the load.
    func run(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for banner in ClickLoad.banners {
                group.addTask {
                    while !self.isEnding.load(ordering: .relaxed) {
                        let answer = try await self.client.count(banner)
                        guard answer.status == 204 else { throw HarnessError("\(answer.status) \(answer.text)") }
                        self.counts.withLock { $0[banner, default: 0] += 1 }
                    }
                }
            }
            // Ended and not cancelled: a request that is cancelled on its way may or may not count.
            defer { isEnding.store(true, ordering: .relaxed) }
            try await body()
            isEnding.store(true, ordering: .relaxed)
            try await group.waitForAll()
        }
    }

    /// Waits until so many more are acknowledged.
    func waitForMore(than count: Int) async throws {
        let goal = acknowledged + count
        try await eventually("\(count) more clicks are acknowledged") { acknowledged >= goal }
    }
}
