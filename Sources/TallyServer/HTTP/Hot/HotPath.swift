// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import TallyCore

/// The short way of plain requests: a lane for each event loop.
package final class HotPath: Sendable {
    private let intake: LaneIntake
    private let metrics: HTTPMetrics
    private let counterStatus: HTTPConfiguration.CounterStatus
    private let judge: TrafficJudge
    private let lanes = Mutex<[ObjectIdentifier: NIOLoopBound<LoopLane>]>([:])

    package init(intake: LaneIntake, metrics: HTTPMetrics, configuration: HTTPConfiguration) {
        self.intake = intake
        self.metrics = metrics
        counterStatus = configuration.counterStatus
        judge = configuration.judge
    }

    /// - Parameter eventLoop: that this runs on.
    func lane(of eventLoop: any EventLoop) -> LoopLane {
        lanes.withLock { lanes in
            let key = ObjectIdentifier(eventLoop)
            if let known = lanes[key] { return known.value }
            let answers = HotAnswers(
                metrics: metrics, counterStatus: counterStatus, admission: intake.admission,
                partitions: intake.partitioning?.count ?? 1)
            let lane = LoopLane(
                number: lanes.count, on: eventLoop, intake: intake, answers: answers, judge: judge)
            lanes[key] = NIOLoopBound(lane, eventLoop: eventLoop)
            return lane
        }
    }
}
