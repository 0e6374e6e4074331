// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore

extension Problem {
    /// How a refusal is written.
    enum Style {
        /// `application/problem+json`, RFC 9457.
        case problem
        /// `{"error":"…"}`, which the clients of `/counter` and `/stats` know.
        case plain

        var contentType: String {
            switch self {
            case .problem: "application/problem+json"
            case .plain: "application/json"
            }
        }

        static func of(path: some StringProtocol) -> Style {
            path == "/v1" || path.hasPrefix("/v1/") ? .problem : .plain
        }
    }

    func response(_ style: Style) -> Response {
        var response = Response.bytes(json(style), type: style.contentType, status: status)
        // The rest of the body is not waited for.
        if status == .contentTooLarge || status == .unsupportedMediaType { response.headers[.connection] = "close" }
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        if !allowedMethods.isEmpty { response.headers[.allow] = allowedMethods.joined(separator: ", ") }
        if !allowedEncodings.isEmpty {
            response.headers[.acceptEncoding] = allowedEncodings.joined(separator: ", ")
        }
        return response
    }

    func json(_ style: Style) -> [UInt8] {
        var json = JSONWriter()
        switch style {
        case .problem: json.object(members)
        case .plain: json.object { $0.member("error", detail) }
        }
        return json.bytes
    }

    private func members(_ json: inout JSONWriter) {
        json.member("type", "urn:tally:problem:\(reason)")
        json.member("title", title)
        json.member("status", status.code)
        json.member("detail", detail)
        if let advice { json.member("advice", advice) }
    }
}
