// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// What a browser is given: the dashboard, and the script for other people's pages.
struct DashboardRoutes {
    let version: String

    var routes: [Route] {
        [
            .reading(.get, "/", .query, handler: start),
            .reading(.get, "/dashboard/{file}", .query, handler: part),
            .reading(.get, "/tally.js", handler: script),
        ]
    }

    /// A browser gets the page; whoever asks with curl gets a few lines to go on with.
    @Sendable private func start(_ request: Request, _ context: ServerContext) async throws -> Response {
        let wantsPage = request.headers[values: .accept].contains { $0.contains("text/html") }
        var response = wantsPage ? DashboardFile.page.response(to: request) : welcome
        response.headers[.vary] = "Accept"
        return response
    }

    @Sendable private func part(_ request: Request, _ context: ServerContext) async throws -> Response {
        let name = context.parameters.get("file") ?? ""
        guard let file = DashboardFile.parts[name] else {
            throw NotFound(detail: "there is no \(quoted(name)) in the dashboard", reason: "unknown_path")
        }
        return file.response(to: request)
    }

    /// It runs on pages of other hosts.
    @Sendable private func script(_ request: Request, _ context: ServerContext) async throws -> Response {
        var response = DashboardFile.script.response(to: request)
        response.headers[.accessControlAllowOrigin] = "*"
        response.headers[.crossOriginResourcePolicy] = "cross-origin"
        response.headers[.cacheControl] = "max-age=3600"
        return response
    }

    private var welcome: Response {
        .text(
            """
            Tally \(version) counts clicks and impressions of banners, each exactly once, by the minute.

            Count:     curl -X POST http://<this server>/counter/1
            Ask:       curl -d '{"from":"2024-12-12T10:00:00","to":"2024-12-12T10:05:00"}' http://<this server>/stats/1
            Look:      open http://<this server>/ in a browser
            The rest:  /openapi.json

            """)
    }
}

extension HTTPField.Name {
    fileprivate static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!  // A valid name.
}
