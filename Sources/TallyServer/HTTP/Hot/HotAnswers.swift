// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore
import NIOHTTP1
import TallyCore

/// The bytes of the answers to the turns of one event loop. All that were committed together have the same receipt, so
/// they are made once for a commit, out of the routes' own answers, and are the routes' to the byte.
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

    private let metrics: HTTPMetrics
    private let routeMetrics: [RouteMetrics]
    private let counterStatus: HTTPConfiguration.CounterStatus
    private let admission: Admission
    private var outcome: Outcome?
    private var second: Int64 = 0
    private var date = ""
    private var now = NIODeadline.distantPast
    private var began = NIODeadline.distantPast
    private var answers: [Answer?] = HotRoute.allCases.map { _ in nil }

    init(metrics: HTTPMetrics, counterStatus: HTTPConfiguration.CounterStatus, admission: Admission) {
        self.metrics = metrics
        self.counterStatus = counterStatus
        self.admission = admission
        routeMetrics = HotRoute.allCases.map { metrics.route(method: "\($0.method)", path: $0.path) }
    }

    /// The answers that follow, up to `end`, say this.
    func begin(_ outcome: Result<Receipt, IngestError>, at now: NIODeadline) {
        self.now = now
        let second = admission.wallTime.milliseconds / 1_000
        if outcome == self.outcome, second == self.second { return }
        if second != self.second { date = HTTPDate.text(second) }
        self.outcome = outcome
        self.second = second
        for index in answers.indices { answers[index] = nil }
    }

    /// - Parameters:
    ///   - count: how many answers.
    ///   - began: when their requests came.
    func bytes(_ route: HotRoute, count: Int, began: NIODeadline) -> ByteBuffer {
        if began != self.began { end() }
        self.began = began
        let index = Int(route.rawValue)
        var answer = answers[index] ?? make(route)
        answers[index] = nil  // Or a buffer would be copied to be written to.
        answer.count += count
        if count > 1, answer.severalCount != count {
            answer.several = ByteBuffer()
            answer.several.reserveCapacity(answer.one.readableBytes * count)
            for _ in 0..<count { answer.several.writeImmutableBuffer(answer.one) }
            answer.severalCount = count
        }
        answers[index] = answer
        return count == 1 ? answer.one : answer.several
    }

    /// Counts what was answered.
    func end() {
        let waited = Duration.nanoseconds((now - began).nanoseconds)
        for index in answers.indices {
            guard let answer = answers[index], answer.count > 0 else { continue }
            routeMetrics[index].answered(status: answer.status, after: waited, times: answer.count)
            if case .failure(let error) = outcome {
                metrics.refusals(Problem(error).reason).add(UInt64(answer.count))
            }
            answers[index]?.count = 0
        }
    }

    private func make(_ route: HotRoute) -> Answer {
        var (response, body) = response(route)
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

    private func response(_ route: HotRoute) -> (Response, body: [UInt8]) {
        switch outcome {
        case .success(let receipt):
            switch route {
            case .getCounter, .postCounter: (CounterRoutes.answer(counterStatus).with(receipt), [])
            case .pixel: (TrackingRoutes.pixel.with(receipt), TrackingRoutes.gif)
            case .beacon: (Response(status: .noContent).with(receipt), [])
            }
        case .failure(let error):
            Problem(error).answer(.of(path: route.path))
        case nil: preconditionFailure("an answer has begun")
        }
    }
}

extension Problem {
    fileprivate func answer(_ style: Style) -> (Response, body: [UInt8]) { (response(style), json(style)) }
}
