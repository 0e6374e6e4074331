// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// Lets Ctrl-C stop work where it is safe to stop; a second Ctrl-C ends the process at once.
final class Interruption: Sendable {
    private struct State {
        /// The number of the signal that came; 0 before.
        var signal: Int32 = 0
        var task: Task<Void, any Error>?
    }

    private let state = Mutex(State())

    /// Runs the work, and cancels its task when SIGINT or SIGTERM comes.
    /// - Throws: `.interrupted` when the work ended because of that.
    static func stopping(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let interruption = Interruption()
        var sources: [any DispatchSourceSignal] = []
        for number in [SIGINT, SIGTERM] {
            sources.append(await Interruption.watch(number) { interruption.receive(number) })
        }
        defer { for source in sources { source.cancel() } }
        // Not a child task: the signal must reach it even when the work keeps every thread of the pool busy.
        let task = Task { try await work() }
        interruption.adopt(task)
        do {
            try await task.value
        } catch {
            let signal = interruption.state.withLock { $0.signal }
            throw signal == 0 ? error : CommandFailure.interrupted(signal: signal)
        }
    }

    private func adopt(_ task: Task<Void, any Error>) {
        let isTooLate = state.withLock { state in
            state.task = task
            return state.signal != 0
        }
        if isTooLate { task.cancel() }
    }

    private func receive(_ number: Int32) {
        let (isFirst, task) = state.withLock { state in
            defer { state.signal = number }
            return (state.signal == 0, state.task)
        }
        if isFirst { task?.cancel() } else { _exit(128 + number) }
    }

    /// Returns when the signal is watched. On Linux the source takes the signal from the process by itself; ignoring it
    /// would take it from the source as well.
    private static func watch(
        _ number: Int32, _ handler: @escaping @Sendable () -> Void
    ) async -> any DispatchSourceSignal {
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: handler)
        await withCheckedContinuation { continuation in
            source.setRegistrationHandler { continuation.resume() }
            source.resume()
        }
        return source
    }
}
