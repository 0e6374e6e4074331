// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird

/// Which web pages may see the answers of the counting requests. Whose requests count is another matter: browsers send
/// them from anywhere.
package enum AllowedOrigins: Equatable, Sendable {
    case any
    case these(Set<String>)

    /// `*`, or origins with commas between, as in `https://example.org,http://localhost:8080`.
    package init?(_ text: String) {
        if text == "*" {
            self = .any
            return
        }
        let origins = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.lowercased() }
        guard origins.allSatisfy(AllowedOrigins.isOrigin) else { return nil }
        self = .these(Set(origins))
    }

    private static func isOrigin(_ text: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else { return false }
        let host = text.dropFirst(scheme.count)
        return !host.isEmpty && host.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"/?#@,*\"".utf8.contains($0) }
    }
}

/// Which header fields of a counting request a preflight allows.
///
/// Scripts that trace requests add fields of their own to each (`traceparent`, `baggage`, `sentry-trace`, `x-datadog-…`), and a field
/// that is not allowed loses the event. The counting requests take no credentials, and any client but a browser can send any field,
/// so every field is allowed that a browser asks for by a valid name.
enum RequestedFields {
    /// A longer list is not echoed.
    static let maximumBytes = 4_096

    /// - Parameter asked: the values of `Access-Control-Request-Headers`.
    /// - Returns: the value of `Access-Control-Allow-Headers`.
    static func allowed(_ asked: [String]) -> String {
        let standard = "Content-Type"
        guard asked.reduce(0, { $0 + $1.utf8.count }) <= maximumBytes else { return standard }
        let names = asked.flatMap { $0.split(separator: ",", omittingEmptySubsequences: true) }
            .map { $0.trimmingSpace }.filter { HTTPField.Name(String($0)) != nil }
        let others = names.filter { $0.lowercased() != "content-type" }
        return ([standard] + others.map { String($0) }).joined(separator: ", ")
    }
}

/// Answers the browser's questions about the counting requests (Fetch, section 3.2). Credentials are never allowed.
struct CrossOriginMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let allowed: AllowedOrigins

    private static let paths = ["/counter/", "/v1/pixel/", "/v1/click/", "/v1/beacon/"]

    @concurrent func handle(
        _ request: Request, context: ServerContext,
        next: @concurrent (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin],
            CrossOriginMiddleware.paths.contains(where: request.uri.path.hasPrefix)
        else { return try await next(request, context) }
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            let asked = request.headers[values: .accessControlRequestHeaders]
            return Response(status: .noContent, headers: preflight(origin, asked: asked))
        }
        var response = try await next(request, context)
        response.headers.append(contentsOf: permission(origin))
        return response
    }

    private func permission(_ origin: String) -> HTTPFields {
        switch allowed {
        case .any: [.accessControlAllowOrigin: "*", .accessControlExposeHeaders: "Tally-Receipt"]
        case .these(let origins):
            origins.contains(origin.lowercased())
                ? [
                    .accessControlAllowOrigin: origin, .accessControlExposeHeaders: "Tally-Receipt", .vary: "Origin",
                ] : [.vary: "Origin"]
        }
    }

    private func preflight(_ origin: String, asked: [String]) -> HTTPFields {
        var headers = permission(origin)
        headers[.accessControlExposeHeaders] = nil
        guard headers[.accessControlAllowOrigin] != nil else { return headers }
        headers[.accessControlAllowMethods] = "GET, HEAD, POST"
        headers[.accessControlAllowHeaders] = RequestedFields.allowed(asked)
        headers[.accessControlMaxAge] = "86400"
        return headers
    }
}
