// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `/counter/{id}`: counts one event and answers when it is durable.
struct CounterRoutes {
    let service: any CountingService
    let metrics: HTTPMetrics
    let judge: TrafficJudge
    let status: HTTPConfiguration.CounterStatus

    var routes: [Route] {
        [
            .writing(.get, "/counter/{id}", .ingest, handler: count),
            .writing(.post, "/counter/{id}", .ingest, handler: count),
            .writing(.head, "/counter/{id}", .ingest, handler: look),
        ]
    }

    @Sendable private func count(_ request: Request, _ context: ServerContext) async throws -> Response {
        let event = try singleEvent(of: request, banner: context.bannerID, kind: .click)
        return answer.with(try await service.recordSingle(event, of: request, metrics, judge))
    }

    /// Whether an event of this banner would be valid; a monitor that asks must not count.
    @Sendable private func look(_ request: Request, _ context: ServerContext) async throws -> Response {
        try service.look(at: try singleEvent(of: request, banner: context.bannerID, kind: .click))
        return answer
    }

    private var answer: Response { CounterRoutes.answer(status) }

    static func answer(_ status: HTTPConfiguration.CounterStatus) -> Response {
        Response(status: .init(code: status.rawValue))
    }
}

/// The event of a request that carries it in its path and in `?kind=&id=`. Other parameters are the sender's, to keep
/// caches away.
func singleEvent(of request: Request, banner: BannerID, kind: Kind) throws(BadRequest) -> EventInput {
    let parameters = QueryParameters(request)
    return EventInput(banner: banner, kind: try parameters.kind() ?? kind, id: try parameters.eventID())
}

extension CountingService {
    /// Validates and counts one event of now.
    func recordSingle(_ input: EventInput) async throws -> [Receipt] {
        var admitted = AdmittedEvents()
        try admit(input, to: &admitted)
        return try await record(admitted)
    }

    /// Counts it, unless the browser asks ahead of its user; as invalid, too, if it is no person's, and else with its visitor.
    /// - Returns: `[]` when it was not counted.
    func recordSingle(
        _ input: EventInput, of request: Request, _ metrics: HTTPMetrics, _ judge: TrafficJudge
    ) async throws -> [Receipt] {
        guard !Prefetch.isOne(request.headers) else {
            try look(at: input)
            metrics.prefetches.add()
            return []
        }
        var input = input
        let day = Day(of: Minute(now))
        let judgement = judge.judge(request, input.banner, on: day)
        input.invalid = judgement.invalid
        guard let visitor = judgement.visitor else { return try await recordSingle(input) }
        let sighting = Sighting(visitor, banner: input.banner, day: day)
        if !judge.isCommitted(sighting) { input.visitor = visitor }
        let receipts = try await recordSingle(input)
        judge.didCommit(sighting)
        return receipts
    }

    /// Refuses what `recordSingle` would, and counts nothing.
    func look(at input: EventInput) throws(EventRejection) {
        var thrownAway = AdmittedEvents()
        try admit(input, to: &thrownAway)
    }
}
