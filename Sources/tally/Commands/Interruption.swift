// SPDX-License-Identifier: Apache-2.0

/// Lets Ctrl-C stop work where it is safe to stop.
enum Interruption {
    /// Runs the work, and cancels its task when SIGINT or SIGTERM comes.
    /// - Parameter state: what the work leaves behind when it throws `CancellationError`.
    /// - Throws: `.interrupted` when the work ended because of that.
    static func stopping(
        leaving state: String? = nil, _ work: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await StopSignals.watching { signals in
            // Not a child task: the signal must reach it even when the work keeps every thread of the pool busy.
            let task = Task { try await work() }
            signals.onFirst { task.cancel() }
            do {
                try await task.value
            } catch {
                guard let signal = signals.first else { throw error }
                throw CommandFailure.interrupted(signal: signal, leaving: error is CancellationError ? state : nil)
            }
        }
    }
}
