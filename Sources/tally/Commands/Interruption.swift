// SPDX-License-Identifier: Apache-2.0

/// Lets Ctrl-C stop work where it is safe to stop.
enum Interruption {
    /// Runs the work, and cancels its task when SIGINT or SIGTERM comes.
    /// - Throws: `.interrupted` when the work ended because of that.
    static func stopping(_ work: @escaping @Sendable () async throws -> Void) async throws {
        try await StopSignals.watching { signals in
            // Not a child task: the signal must reach it even when the work keeps every thread of the pool busy.
            let task = Task { try await work() }
            signals.onFirst { task.cancel() }
            do {
                try await task.value
            } catch {
                throw signals.first.map { CommandFailure.interrupted(signal: $0) } ?? error
            }
        }
    }
}
