// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
package import Hummingbird
import Logging
import NIOHTTP1

/// The router with every route of the server.
package func makeRouter(
    service: any CountingService, metrics: HTTPMetrics, configuration: HTTPConfiguration
) -> Router<ServerContext> {
    let routes = allRoutes(service: service, metrics: metrics, configuration: configuration)
    let budget = BodyBudget(bytes: configuration.bodiesBytes)
    let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: CrossOriginMiddleware(allowed: configuration.allowedOrigins))
    router.add(middleware: UnknownPathMiddleware(routes: routes, metrics: metrics))
    for route in routes {
        let counted = metrics.route(method: route.method.rawValue, path: route.path)
        router.on(RouterPath(route.path), method: route.method) { request, context in
            try await BodyBudget.Share.$current.withValue(BodyBudget.Share(of: budget)) {
                try await answer(
                    request, context, route: route, roles: service.roles, metrics: metrics, routeMetrics: counted)
            }
        }
    }
    return router
}

func allRoutes(service: any CountingService, metrics: HTTPMetrics, configuration: HTTPConfiguration) -> [Route] {
    let queries = QueryRunner(configuration.queries, metrics: metrics)
    return CounterRoutes(
        service: service, metrics: metrics, judge: configuration.judge, status: configuration.counterStatus
    ).routes
        + StatsRoutes(service: service, queries: queries).routes
        + EventRoutes(service: service, metrics: metrics).routes
        + TrackingRoutes(service: service, metrics: metrics, judge: configuration.judge).routes
        + ChunkRoutes(service: service).routes
        + UnflushedRoutes(service: service).routes
        + SeriesRoutes(service: service, queries: queries).routes
        + BannerRoutes(service: service, queries: queries).routes
        + TotalRoutes(service: service, queries: queries).routes
        + VisitorRoutes(service: service, queries: queries).routes
        + LiveRoutes(live: service.watching, queries: queries).routes
        + StatusRoutes(service: service, metrics: metrics, version: configuration.version).routes
        + DashboardRoutes(version: configuration.version).routes
        + OperationRoutes(service: service, metrics: metrics).routes
}

/// Answers a request, come what may: a fault in one request is an answer, too, and is counted.
private func answer(
    _ request: Request, _ context: ServerContext, route: Route, roles: Set<ServerRole>, metrics: HTTPMetrics,
    routeMetrics: RouteMetrics
) async throws -> Response {
    let start = ContinuousClock.now
    var response: Response
    do {
        if let role = route.role, !roles.contains(role) { throw RoleMissing(role: role, roles: roles) }
        response = try await route.handler(request, context)
    } catch let error as HTTPParserError {
        throw error  // What arrives is no HTTP any more: Hummingbird answers and closes the connection.
    } catch {
        response = refusal(of: error, request: request, context: context, metrics: metrics)
    }
    if route.writes { response.headers[.cacheControl] = "no-store" }
    routeMetrics.answered(status: response.status.code, after: ContinuousClock.now - start)
    return response
}

private func refusal(
    of error: any Error, request: Request, context: ServerContext, metrics: HTTPMetrics
) -> Response {
    let problem = Problem(error)
    metrics.refusals(problem.reason).add()
    if problem.status == .internalServerError {
        context.logger.error(
            "A request failed", metadata: ["error": "\(error)", "path": "\(quoted(request.uri.path))"])
    }
    return problem.response(.of(path: request.uri.path))
}

/// Answers what no route does: 405 when the path has other methods, else 404.
private struct UnknownPathMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let routes: [Route]
    let metrics: HTTPMetrics

    @concurrent func handle(
        _ request: Request, context: ServerContext,
        next: @concurrent (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            return refusal(of: reason(request), request: request, context: context, metrics: metrics)
        }
    }

    private func reason(_ request: Request) -> any Error {
        let path = request.uri.path
        let methods = Set(routes.filter { $0.matches(path: path[...]) }.map(\.method.rawValue))
        if methods.isEmpty {
            return NotFound(detail: "there is nothing at \(quoted(path)); see /openapi.json", reason: "unknown_path")
        }
        let allowed = methods.contains("GET") ? methods.union(["HEAD"]) : methods
        return MethodNotAllowed(method: request.method.rawValue, allowed: allowed.sorted())
    }
}
