// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import TallyCore

/// A refusal, as it is answered: by RFC 9457 under `/v1`, as `{"error":"…"}` elsewhere.
struct Problem {
    let status: HTTPResponse.Status
    /// Ends the problem's `type`, and is the label of the metric that counts it.
    let reason: String
    let title: String
    /// What was wrong, where, and what is allowed.
    let detail: String
    /// What to do now, where `detail` doesn't say it.
    var advice: String?
    /// Seconds after which the same request may work.
    var retryAfter: Int?
    var allowedMethods: [String] = []
    /// Of a body.
    var allowedEncodings: [String] = []

    init(
        _ status: HTTPResponse.Status, _ reason: String, _ title: String, _ detail: String, advice: String? = nil,
        retryAfter: Int? = nil, allowedMethods: [String] = []
    ) {
        self.status = status
        self.reason = reason
        self.title = title
        self.detail = detail
        self.advice = advice
        self.retryAfter = retryAfter
        self.allowedMethods = allowedMethods
    }

    /// The one place that says which status an error gets.
    ///
    /// 400, 415: repair the request. 404, 405: not there. 403, 409, 413: a limit or another's name stands against it.
    /// 503: the same request may work later. 500: a person has to look.
    init(_ error: any Error) {
        switch error {
        case let error as BadRequest: self.init(.badRequest, error.reason, "The request is not valid", error.detail)
        case let error as JSONError: self.init(.badRequest, "bad_json", "The body is not valid", "the body is \(error)")
        case let error as NotFound: self.init(.notFound, error.reason, "Not found", error.detail)
        case let error as MethodNotAllowed: self.init(error)
        case let error as BodyTooLarge: self.init(error)
        case let error as UnknownContentEncoding: self.init(error)
        case let error as BodiesTooLarge: self.init(error)
        case let error as EventRejection: self.init(error)
        case let error as IngestError: self.init(error)
        case let error as RegistrationError: self.init(error)
        case let error as StoreError: self.init(error)
        case is TooManyStreams:
            self.init(
                .serviceUnavailable, "too_many_streams", "No more can watch", "as many watch as this server allows",
                advice: "Try again later, or ask /v1/series.", retryAfter: 30)
        case is TooManyQueries:
            self.init(
                .serviceUnavailable, "too_many_queries", "Too many queries at once",
                "as many queries run and wait as this server allows (--max-heavy-queries)",
                advice: "Ask again later.", retryAfter: 5)
        case let error as QueryEnded: self.init(error)
        case let error as RoleMissing: self.init(error)
        case let error as ChunkDecodingError:
            self.init(.badRequest, "bad_chunk", "The chunk can't be read", "\(error)")
        default:
            self.init(
                .internalServerError, "internal", "The server made a mistake", "the request could not be answered",
                advice: "Look into the server's log; trying again may help.")
        }
    }

    private init(_ error: MethodNotAllowed) {
        self.init(
            .methodNotAllowed, "method_not_allowed", "The method is not allowed",
            "\(quoted(error.method)) is not allowed here; allowed are \(error.allowed.joined(separator: ", "))",
            allowedMethods: error.allowed)
    }

    private init(_ error: QueryEnded) {
        switch error {
        case .deadline(let timeout):
            self.init(
                .serviceUnavailable, "query_timeout", "The query took too long",
                "the query took longer than \(timeout / .seconds(1)) s (--query-timeout)",
                advice: "Ask for fewer banners, for one kind, or for a shorter range.", retryAfter: 5)
        case .clientLeft:
            self.init(
                // As nginx calls it; only metrics see it.
                HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request"), "client_left",
                "The client left", "the client closed the connection before its answer")
        }
    }

    private init(_ error: RoleMissing) {
        let what = error.role == .ingest ? "what is to be counted" : "questions"
        self.init(
            .notFound, "role_missing", "This server does not do that",
            "this server has the roles \(error.roles.text) (--roles), and this needs \(error.role.rawValue)",
            advice: "Send \(what) to a server with the role \(error.role.rawValue).")
    }

    private init(_ error: BodyTooLarge) {
        self.init(
            .contentTooLarge, "too_large", "The body is too large",
            "the body is larger than \(error.limit) bytes; send it in several requests")
    }

    private init(_ error: UnknownContentEncoding) {
        self.init(
            .unsupportedMediaType, "unknown_encoding", "The body can't be unpacked",
            "the Content-Encoding is \(quoted(error.encoding)); allowed are \(error.allowed.joined(separator: ", "))")
        allowedEncodings = error.allowed
    }

    private init(_ error: BodiesTooLarge) {
        self.init(
            .serviceUnavailable, "overloaded", "Too much at once",
            "the bodies of the requests on their way are together larger than \(error.limit) bytes",
            advice: "Send it again.", retryAfter: 1)
    }

    private init(_ error: EventRejection) {
        let status: HTTPResponse.Status =
            switch error {
            case .unknownBanner: .notFound
            case .tooManyBanners, .tooManyKinds, .tooManyNodes, .unknownKind: .forbidden
            case .bannersUnknown, .clockAhead: .serviceUnavailable
            case .tooOld, .expired, .inFuture, .countOutOfRange, .idTooLong, .idEmpty, .reservedKind, .foreignSightings,
                .ownNode:
                .badRequest
            }
        self.init(
            status, error.reason, "The event is not counted", "\(error)",
            retryAfter: status == .serviceUnavailable ? 5 : nil)
    }

    private init(_ error: IngestError) {
        let reason =
            switch error {
            case .unavailable: "unavailable"
            case .overloaded: "overloaded"
            case .closing: "closing"
            case .stale: "stale"
            case .limitReached: "limit_reached"
            }
        self.init(
            .serviceUnavailable, reason, "Not counted", "\(error)",
            advice: "Send it again; give each event an id and it counts once even if both arrived.", retryAfter: 1)
    }

    private init(_ error: RegistrationError) {
        let title = "The banner is not registered"
        switch error {
        case .nameTaken:
            self.init(.conflict, "name_taken", title, "\(error)", advice: "Choose another name.")
        case .tooManyBanners:
            self.init(.forbidden, "too_many_banners", title, "\(error)", advice: "Raise the limit of the server.")
        case .tooMuchText:
            self.init(
                .forbidden, "too_much_text", title, "\(error)",
                advice: "Shorten names, targets and tags, or raise the limit of the server.")
        case .idsExhausted:
            self.init(.conflict, "ids_exhausted", title, "\(error)", advice: "Register it with an id of your choice.")
        case .unavailable:
            self.init(.serviceUnavailable, "store_unavailable", title, "\(error)", retryAfter: 5)
        }
    }

    private init(_ error: StoreError) {
        switch error {
        case .unavailable:
            self.init(
                .serviceUnavailable, "store_unavailable", "The store does not answer", "\(error)",
                advice: "Counting goes on; ask again later.", retryAfter: 5)
        case .tooManyRows(let limit):
            self.init(
                .badRequest, "too_many_rows", "The question is too large",
                "the answer would be made of more than \(limit) rows (--max-query-rows)",
                advice: "Ask for fewer banners, for one kind, or for a shorter range.")
        case .damaged:
            self.init(
                .internalServerError, "store_damaged", "What is stored can't be read", "\(error)",
                advice: "A person has to look at the store.")
        }
    }
}
