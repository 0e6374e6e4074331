// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore

/// Servers that others have started for the tests.
enum TestServers {
    /// - Returns: nil when there is none; then the tests that need it are skipped.
    static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A name that no test has had before.
    static func newName() -> String { "tally-test-\(UInt64.random(in: 0 ... .max))" }
}

extension EventLog {
    /// What `read` returns or throws.
    func reply(from offset: LogOffset, maximumBytes: Int) async -> Result<[LogEntry], LogError> {
        do throws(LogError) {
            return .success(try await read(from: offset, maximumBytes: maximumBytes))
        } catch {
            return .failure(error)
        }
    }

    /// Everything from an offset on.
    func readAll(from offset: LogOffset = LogOffset(1), maximumBytes: Int = 1_000) async throws -> [LogEntry] {
        var entries: [LogEntry] = []
        var next = offset
        while true {
            let more = try await read(from: next, maximumBytes: maximumBytes)
            guard let last = more.last else { return entries }
            entries += more
            next = last.offset.next
        }
    }
}

/// - Returns: the error that it throws; nil when it does not.
func logError(_ body: () async throws -> Void) async -> LogError? {
    do {
        try await body()
        return nil
    } catch { return error as? LogError ?? .failed("another error: \(error)") }
}
