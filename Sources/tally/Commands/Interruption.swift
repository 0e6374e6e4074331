// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// Lets Ctrl-C stop work where it is safe to stop; a second Ctrl-C ends the process at once.
final class Interruption: Sendable {
    /// The number of the signal that came; 0 before.
    private let received = Mutex<Int32>(0)

    /// Runs the work, and cancels its task when SIGINT or SIGTERM comes.
    /// - Throws: `.interrupted` when the work ended because of that.
    static func stopping(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let interruption = Interruption()
        // Not a child task: the signal must reach it even when the work keeps every thread of the pool busy.
        let task = Task { try await work() }
        let sources = [SIGINT, SIGTERM].map { number in
            Interruption.watch(number) { interruption.receive(number, cancelling: task) }
        }
        defer { for source in sources { source.cancel() } }
        do {
            try await task.value
        } catch {
            let signal = interruption.received.withLock { $0 }
            throw signal == 0 ? error : CommandFailure.interrupted(signal: signal)
        }
    }

    private func receive(_ number: Int32, cancelling task: Task<Void, any Error>) {
        let isFirst = received.withLock { received in
            defer { received = number }
            return received == 0
        }
        if isFirst { task.cancel() } else { _exit(128 + number) }
    }

    private static func watch(_ number: Int32, _ handler: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: handler)
        source.resume()
        return source
    }
}
