// SPDX-License-Identifier: Apache-2.0

/// Gives up on what takes too long, and cancels it.
enum Patience {
    struct IsOver: Error {}

    /// - Throws: what `body` throws, or `IsOver`.
    static func within<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw IsOver()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw IsOver() }
            return value
        }
    }
}
