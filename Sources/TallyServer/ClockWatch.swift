// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle

/// Reads the clock every second, so that its jumps are seen when they happen, and logs once what is wrong with it, and once that
/// it is right again.
final class ClockWatch: Service {
    private let problem: @Sendable () -> String?
    private let logger: Logger

    /// - Parameter problem: what is wrong with the clock; nil when nothing is.
    init(logger: Logger, problem: @escaping @Sendable () -> String?) {
        self.problem = problem
        self.logger = logger
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            var wasWrong = false
            while !Task.isCancelled {
                let problem = self.problem()
                if let problem, !wasWrong { self.logger.error("\(problem)") }
                if problem == nil, wasWrong { self.logger.notice("the clock is right again") }
                wasWrong = problem != nil
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
