// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird

/// For those who run the server: is it well, what does it count, what can it be asked.
struct OperationRoutes {
    let service: any CountingService
    let metrics: HTTPMetrics

    var routes: [Route] {
        [
            .reading(.get, "/healthz", handler: health),
            .reading(.get, "/readyz", handler: readiness),
            .reading(.get, "/metrics", handler: measurements),
            .reading(.get, "/openapi.json", handler: description),
        ]
    }

    @Sendable private func health(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        .text("ok\n")
    }

    @Sendable private func readiness(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        switch service.readiness {
        case .ready: .text("ready\n")
        case .counting(let problem): .text("ready: counting goes on, but \(problem)\n")
        case .notReady(let reasons):
            .text(reasons.map { $0 + "\n" }.joined(), status: .serviceUnavailable)
        }
    }

    @Sendable private func measurements(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        .text(metrics.registry.prometheusText, type: MetricsRegistry.contentType)
    }

    @Sendable private func description(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        .bytes(PackageResources.openapi_json, type: "application/json")
    }
}
