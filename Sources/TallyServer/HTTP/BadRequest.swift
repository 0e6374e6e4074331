// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The request can't be answered as it is: its text says what was wrong and what is allowed.
struct BadRequest: Error, Equatable {
    let detail: String
    /// The label of the metric that counts it.
    var reason = "bad_request"
}

/// What was asked for is not there.
struct NotFound: Error, Equatable {
    let detail: String
    let reason: String
}

/// The path exists, but not with this method.
struct MethodNotAllowed: Error, Equatable {
    let method: String
    let allowed: [String]
}

/// The bodies of all requests on their way are together larger than what is read at once.
struct BodiesTooLarge: Error, Equatable {
    let limit: Int
}

/// The body is packed in a way that is not known.
struct UnknownContentEncoding: Error, Equatable {
    let encoding: String
    let allowed: [String]
}

/// The body is larger than what is read.
struct BodyTooLarge: Error, Equatable {
    let limit: Int
}
