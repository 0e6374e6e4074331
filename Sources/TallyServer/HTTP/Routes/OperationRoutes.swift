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

    @Sendable private func health(_ request: Request, _ context: ServerContext) async throws -> Response {
        .text("ok\n")
    }

    @Sendable private func readiness(_ request: Request, _ context: ServerContext) async throws -> Response {
        let role = try role(in: QueryParameters(request))
        switch role.map(service.readiness(of:)) ?? service.readiness {
        case .ready: return .text("ready\n")
        case .counting(let problem):
            let reads = role == .aggregate || role == .query
            return .text(reads ? "ready, but \(problem)\n" : "ready: counting goes on, but \(problem)\n")
        case .notReady(let reasons):
            return .text(reasons.map { $0 + "\n" }.joined(), status: .serviceUnavailable)
        }
    }

    /// - Returns: nil when none is named.
    private func role(in parameters: QueryParameters) throws -> ServerRole? {
        try parameters.allowOnly(["role"])
        guard let name = try parameters.single("role") else { return nil }
        guard let role = ServerRole(rawValue: name) else {
            let allowed = ServerRole.allCases.map(\.rawValue).joined(separator: ", ")
            throw BadRequest(detail: "role is \(quoted(name)); allowed are \(allowed)")
        }
        guard service.roles.contains(role) else { throw RoleMissing(role: role, roles: service.roles) }
        return role
    }

    @Sendable private func measurements(_ request: Request, _ context: ServerContext) async throws -> Response {
        .text(metrics.registry.prometheusText, type: MetricsRegistry.contentType)
    }

    @Sendable private func description(_ request: Request, _ context: ServerContext) async throws -> Response {
        .bytes(PackageResources.openapi_json, type: "application/json")
    }
}
