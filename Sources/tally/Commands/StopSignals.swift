// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// SIGINT, as Ctrl-C sends it, and SIGTERM: the first asks what is running to stop, a second ends the process at once.
final class StopSignals: Sendable {
    private struct State {
        /// The number of the first signal; nil as long as none came.
        var first: Int32?
        var stop: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    private init() {}

    /// The number of the first signal; nil as long as none came.
    var first: Int32? { state.withLock { $0.first } }

    /// Runs `body` while the signals are watched; before and afterwards they do what they do to any process.
    static func watching<Value>(_ body: (StopSignals) async throws -> Value) async throws -> Value {
        let signals = StopSignals()
        var sources: [any DispatchSourceSignal] = []
        for number in [SIGINT, SIGTERM] {
            sources.append(await watch(number) { signals.receive(number) })
        }
        defer { for source in sources { source.cancel() } }
        return try await body(signals)
    }

    /// Calls `stop` when the first signal comes, or now if it has come already: once, on any thread.
    func onFirst(_ stop: @escaping @Sendable () -> Void) {
        let hasCome = state.withLock { state in
            precondition(state.stop == nil, "one thing is stopped")
            state.stop = stop
            return state.first != nil
        }
        if hasCome { stop() }
    }

    private func receive(_ number: Int32) {
        let (isFirst, stop) = state.withLock { state in
            let isFirst = state.first == nil
            if isFirst { state.first = number }
            return (isFirst, state.stop)
        }
        guard isFirst else { _exit(128 + number) }
        stop?()
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
