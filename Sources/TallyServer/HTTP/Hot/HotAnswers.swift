// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore
import NIOHTTP1
import TallyCore

/// The bytes of the answers to the turns of one event loop. All that were committed together to one partition have the same
/// receipt, so they are made once for a commit, out of the routes' own answers, and are the routes' to the byte.
final class HotAnswers {
    private typealias Outcome = Result<Receipt, IngestError>

    /// Answers to one route; several requests of one connection are written as one.
    private struct Answer {
        let status: Int
        let one: ByteBuffer
        var several: ByteBuffer
        var severalCount = 1
        /// Not counted yet.
        var count = 0
    }

    /// Answers to what lies in one partition.
    private struct Slot {
        var outcome: Outcome?
        var answers: [Answer?] = HotRoute.allCases.map { _ in nil }
    }

    private let metrics: HTTPMetrics
    private let routeMetrics: [RouteMetrics]
    private let counterStatus: HTTPConfiguration.CounterStatus
    private let admission: Admission
    private var outcome: TurnOutcome?
    private var second: Int64 = 0
    private var date = ""
    private var now = NIODeadline.distantPast
    private var began = NIODeadline.distantPast
    /// By partition.
    private var slots: [Slot]
    /// Partitions of the slots whose answers are not counted yet.
    private var used: [Int] = []
    /// Events that were refused since `begin`.
    private var refused = 0

    init(
        metrics: HTTPMetrics, counterStatus: HTTPConfiguration.CounterStatus, admission: Admission, partitions: Int = 1
    ) {
        slots = Array(repeating: Slot(), count: partitions)
        self.metrics = metrics
        self.counterStatus = counterStatus
        self.admission = admission
        routeMetrics = HotRoute.allCases.map { metrics.route(method: "\($0.method)", path: $0.path) }
    }

    /// The answers that follow, up to `end`, say this.
    func begin(_ outcome: TurnOutcome, at now: NIODeadline) {
        self.now = now
        self.outcome = outcome
        refused = 0
        let second = admission.wallTime.milliseconds / 1_000
        if second == self.second { return }
        date = HTTPDate.text(second)
        self.second = second
        for index in slots.indices { slots[index].outcome = nil }
    }

    /// - Parameters:
    ///   - partition: where their events are.
    ///   - count: how many answers.
    ///   - began: when their requests came.
    func bytes(_ route: HotRoute, _ partition: Int, count: Int, began: NIODeadline) -> ByteBuffer {
        if began != self.began { countAnswered() }
        self.began = began
        let outcome = prepare(partition)
        let index = Int(route.rawValue)
        var answer = slots[partition].answers[index] ?? make(route, outcome)
        slots[partition].answers[index] = nil  // Or a buffer would be copied to be written to.
        answer.count += count
        if count > 1, answer.severalCount != count {
            answer.several = ByteBuffer()
            answer.several.reserveCapacity(answer.one.readableBytes * count)
            for _ in 0..<count { answer.several.writeImmutableBuffer(answer.one) }
            answer.severalCount = count
        }
        slots[partition].answers[index] = answer
        return count == 1 ? answer.one : answer.several
    }

    /// The slot's answers are those to this turn.
    private func prepare(_ partition: Int) -> Outcome {
        guard let outcome = outcome?.result(of: partition) else { preconditionFailure("an answer has begun") }
        if used.last != partition, !used.contains(partition) { used.append(partition) }
        if slots[partition].outcome == outcome { return outcome }
        slots[partition].outcome = outcome
        for index in slots[partition].answers.indices { slots[partition].answers[index] = nil }
        return outcome
    }

    /// Counts what was answered.
    /// - Returns: how many of the events since `begin` were refused.
    func end() -> Int {
        countAnswered()
        return refused
    }

    private func countAnswered() {
        let waited = Duration.nanoseconds((now - began).nanoseconds)
        for partition in used {
            for index in slots[partition].answers.indices {
                guard let answer = slots[partition].answers[index], answer.count > 0 else { continue }
                routeMetrics[index].answered(status: answer.status, after: waited, times: answer.count)
                if case .failure(let error) = slots[partition].outcome {
                    metrics.refusals(Problem(error).reason).add(UInt64(answer.count))
                    refused += answer.count
                }
                slots[partition].answers[index]?.count = 0
            }
        }
        used.removeAll(keepingCapacity: true)
    }

    private func make(_ route: HotRoute, _ outcome: Outcome) -> Answer {
        var (response, body) = response(route, outcome)
        response.headers[.cacheControl] = "no-store"
        response.headers[.date] = date
        var bytes = ByteBuffer()
        // Where the phrase is missing, the codec has one.
        let status = HTTPResponseStatus(
            statusCode: response.status.code, reasonPhrase: response.status.reasonPhrase)
        bytes.writeString("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n")
        for field in response.headers where field.name != .contentLength || response.status != .noContent {
            bytes.writeString("\(field.name.rawName): \(field.value)\r\n")
        }
        bytes.writeString("\r\n")
        bytes.writeBytes(body)
        return Answer(status: response.status.code, one: bytes, several: bytes)
    }

    private func response(_ route: HotRoute, _ outcome: Outcome) -> (Response, body: [UInt8]) {
        switch outcome {
        case .success(let receipt):
            switch route {
            case .getCounter, .postCounter: (CounterRoutes.answer(counterStatus).with([receipt]), [])
            case .pixel: (TrackingRoutes.pixel.with([receipt]), TrackingRoutes.gif)
            case .beacon: (Response(status: .noContent).with([receipt]), [])
            }
        case .failure(let error):
            Problem(error).answer(.of(path: route.path))
        }
    }
}

extension Problem {
    fileprivate func answer(_ style: Style) -> (Response, body: [UInt8]) { (response(style), json(style)) }
}
