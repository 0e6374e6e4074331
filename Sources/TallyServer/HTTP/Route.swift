// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// Where the server answers, and how. The list of all routes builds the router, tells which methods a path allows, and
/// is what `/openapi.json` is checked against.
struct Route: Sendable {
    typealias Handler = @Sendable (Request, ServerContext) async throws -> Response

    let method: HTTPRequest.Method
    /// `/counter/{id}`
    let path: String
    /// Its answers are never stored by a cache.
    let writes: Bool
    /// What the server must do; nil when any server answers.
    let role: ServerRole?
    let handler: Handler

    /// Changes something.
    static func writing(
        _ method: HTTPRequest.Method, _ path: String, _ role: ServerRole? = nil, handler: @escaping Handler
    ) -> Route {
        Route(method: method, path: path, writes: true, role: role, handler: handler)
    }

    /// Changes nothing; a GET answers HEAD, too.
    static func reading(
        _ method: HTTPRequest.Method, _ path: String, _ role: ServerRole? = nil, handler: @escaping Handler
    ) -> Route {
        Route(method: method, path: path, writes: false, role: role, handler: handler)
    }

    /// Whether the route is one of this path, whatever the method.
    func matches(path other: Substring) -> Bool {
        let pattern = path.split(separator: "/")
        let segments = other.split(separator: "/", maxSplits: pattern.count)
        return pattern.count == segments.count
            && zip(pattern, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}

extension RequestContext {
    /// The banner of a path with `{id}`.
    var bannerID: BannerID {
        get throws(BadRequest) { try BannerID(text: parameters.get("id") ?? "") }
    }
}
