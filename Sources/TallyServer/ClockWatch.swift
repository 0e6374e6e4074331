// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import TallyCore

/// Notices when the clock is so far behind the log that what happens now no longer belongs to its own minute: the clock had
/// jumped ahead, and took the log's time along, or it has jumped back. Final minutes stay final, so events are counted in
/// the first minute that isn't, and somebody has to look.
final class ClockWatch: Service {
    private let clock: any WallClock
    private let aggregation: Aggregation
    private let acceptLate: Int64
    private let logger: Logger

    init(clock: any WallClock, aggregation: Aggregation, acceptLate: Int64, logger: Logger) {
        self.clock = clock
        self.aggregation = aggregation
        self.acceptLate = acceptLate
        self.logger = logger
    }

    /// What is wrong; nil when nothing is.
    var problem: String? {
        let now = Minute(clock.now())
        let logTime = aggregation.time
        let firstOpen = EventWindow.watermark(logTime: logTime, late: acceptLate)
        guard now < firstOpen else { return nil }
        return "the clock says \(now.text()), but the log is at \(Minute(logTime).text()), further ahead than "
            + "--accept-late: what happens now is counted in \(firstOpen.text()). Set the clock right; if it is right, "
            + "begin a new journal (docs/architecture.md, Time)"
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            var wasWrong = false
            while !Task.isCancelled {
                let problem = self.problem
                if let problem, !wasWrong { self.logger.error("\(problem)") }
                wasWrong = problem != nil
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
