// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Logging
import Synchronization

/// SIGTERM and SIGINT: the first stops gracefully, within a time; the second ends the process at once. Either way nothing
/// that was acknowledged is lost: the journal has it.
final class StopSignals: Sendable {
    private let isStopping = Mutex(false)
    private let timeout: Duration
    private let logger: Logger
    private let stop: @Sendable () async -> Void

    private init(timeout: Duration, logger: Logger, stop: @escaping @Sendable () async -> Void) {
        self.timeout = timeout
        self.logger = logger
        self.stop = stop
    }

    /// - Parameter stop: begins the graceful stop.
    /// - Returns: what keeps watching as long as it isn't cancelled.
    static func watch(
        timeout: Duration, logger: Logger, stop: @escaping @Sendable () async -> Void
    ) -> [any DispatchSourceSignal] {
        let signals = StopSignals(timeout: timeout, logger: logger, stop: stop)
        return [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { signals.receive(number) }
            source.resume()
            return source
        }
    }

    private func receive(_ number: Int32) {
        let isFirst = isStopping.withLock { isStopping in
            defer { isStopping = true }
            return !isStopping
        }
        guard isFirst else { _exit(128 + number) }
        logger.info("stopping")
        // A signal has no task to belong to.
        Task { await stop() }
        // A flush that takes longer, or a client that never ends its request, is cut off. That is no failure: what was
        // acknowledged is in the journal, and is flushed after the next start.
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.9 * (timeout / .seconds(1))) { [logger] in
            logger.warning("stopped before everything was flushed; the journal keeps the rest for the next start")
            _exit(0)
        }
    }
}
