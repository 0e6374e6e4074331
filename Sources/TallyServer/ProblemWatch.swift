// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle

/// Asks for a problem every second, so that it is seen when it begins, and logs once what is wrong, and once that it is over.
final class ProblemWatch: Service {
    private let problem: @Sendable () -> String?
    private let end: Logger.Message
    private let remedy: @Sendable () -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - end: is logged when the problem is over.
    ///   - remedy: is tried every second while the problem lasts.
    ///   - problem: what is wrong; nil when nothing is.
    init(
        logger: Logger, end: Logger.Message, remedy: @escaping @Sendable () -> Void = {},
        problem: @escaping @Sendable () -> String?
    ) {
        self.problem = problem
        self.end = end
        self.remedy = remedy
        self.logger = logger
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            var wasWrong = false
            while !Task.isCancelled {
                let problem = self.problem()
                if let problem, !wasWrong { self.logger.error("\(problem)") }
                if problem == nil, wasWrong { self.logger.notice(self.end) }
                wasWrong = problem != nil
                if wasWrong { self.remedy() }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
