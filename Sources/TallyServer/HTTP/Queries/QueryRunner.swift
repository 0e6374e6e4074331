// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore
import Synchronization
import TallyCore

/// Runs what reads the store within limits, so that counting and health checks keep their latency, and the memory of the
/// process has a bound.
///
/// A light query reads little. A heavy query may read much: few of them run at a time, on threads of their own, until a deadline, and
/// they end when the client closes the connection. A heavy query keeps its slot until a large answer is sent, since the answer
/// takes its memory until then.
struct QueryRunner: Sendable {
    enum Weight {
        case light
        case heavy

        /// By the number of rows that are read at most.
        init(rows: Int) { self = rows > Weight.lightRows ? .heavy : .light }

        private static let lightRows = 100_000
    }

    /// A smaller answer is handed to the connection at once, and the slot is free.
    private static let smallAnswer = 256 << 10

    private let light: QuerySlots
    private let heavy: QuerySlots
    private let threads: QueryThreads
    private let timeout: Duration

    init(_ limits: QueryLimits, metrics: HTTPMetrics) {
        light = QuerySlots(QueryGate(maximumRunning: 64, maximumWaiting: 1_000))
        heavy = QuerySlots(QueryGate(maximumRunning: limits.heavyQueries, maximumWaiting: 100))
        threads = QueryThreads(count: limits.heavyQueries)
        timeout = limits.timeout
        metrics.report(heavyQueries: heavy)
    }

    /// - Throws: what `body` throws; `TooManyQueries`; `QueryEnded` when a heavy query reached its deadline or its client left.
    func run(
        _ weight: Weight, _ context: ServerContext, _ body: @escaping @Sendable () async throws -> Response
    ) async throws -> Response {
        switch weight {
        case .light:
            let slot = try await light.take()
            defer { slot.release() }
            return try await body()
        case .heavy: return try await runHeavy(context.channel, body)
        }
    }

    private func runHeavy(
        _ channel: any Channel, _ body: @escaping @Sendable () async throws -> Response
    ) async throws -> Response {
        let outcome = QueryOutcome()
        let work = Task(executorPreference: threads) {
            do {
                let slot = try await heavy.take()
                outcome.end(.success(keeping(slot, for: try await body(), channel)))
            } catch {
                outcome.end(.failure(error))
            }
        }
        let timer = Task {
            try await Task.sleep(for: timeout)
            outcome.end(.failure(QueryEnded.deadline(timeout)))
        }
        let client = ClientLeftHandler.watch(channel) { outcome.end(.failure(QueryEnded.clientLeft)) }
        defer {
            timer.cancel()
            client.stop()
            // What has no answer any more ends, too.
            work.cancel()
        }
        return try await withTaskCancellationHandler {
            try await outcome.value
        } onCancel: {
            outcome.end(.failure(CancellationError()))
        }
    }

    /// The response, which keeps the slot until it is sent, when it is large. A client that does not take it within the time of a query
    /// loses the connection.
    private func keeping(_ slot: QuerySlot, for response: Response, _ channel: any Channel) -> Response {
        if let length = response.body.contentLength, length <= QueryRunner.smallAnswer {
            slot.release()
            return response
        }
        let body = response.body
        var response = response
        response.body = ResponseBody(contentLength: body.contentLength) { [timeout] writer in
            defer { slot.release() }
            let timer = Task {
                try await Task.sleep(for: timeout)
                channel.close(promise: nil)
            }
            defer { timer.cancel() }
            try await body.write(writer)
        }
        return response
    }
}

/// Bounds of the queries of a process.
package struct QueryLimits: Sendable {
    /// How many heavy ones run at a time.
    package var heavyQueries: Int
    /// From the arrival of a heavy one to its answer, and again until a large answer is sent.
    package var timeout: Duration

    package init(heavyQueries: Int = 2, timeout: Duration = .seconds(30)) {
        self.heavyQueries = heavyQueries
        self.timeout = timeout
    }
}

extension RowRange {
    /// By the rows of minutes that it has at most, of one kind.
    var weight: QueryRunner.Weight {
        guard let banners else { return .heavy }
        let minutes = Int(minutes.upperBound.sinceEpoch - minutes.lowerBound.sinceEpoch) + 1
        let (rows, overflow) = minutes.multipliedReportingOverflow(by: banners.count)
        return overflow ? .heavy : QueryRunner.Weight(rows: rows)
    }
}

/// Why a query has no answer.
enum QueryEnded: Error, Equatable {
    case deadline(Duration)
    case clientLeft
}

/// The first end of several wins.
private final class QueryOutcome: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Response, any Error>)
        case ended(Result<Response, any Error>)
        case taken
    }

    private let state = Mutex(State.open)

    /// Asked for once.
    var value: Response {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<Response, any Error>? in
                    guard case .ended(let result) = state else {
                        state = .awaited(continuation)
                        return nil
                    }
                    state = .taken
                    return result
                }
                if let result { continuation.resume(with: result) }
            }
        }
    }

    func end(_ result: Result<Response, any Error>) {
        let continuation = state.withLock { state -> CheckedContinuation<Response, any Error>? in
            switch state {
            case .open: state = .ended(result)
            case .awaited(let continuation):
                state = .taken
                return continuation
            case .ended, .taken: break
            }
            return nil
        }
        continuation?.resume(with: result)
    }
}
