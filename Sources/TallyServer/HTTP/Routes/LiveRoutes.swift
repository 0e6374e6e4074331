// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import TallyCore

/// `/v1/live`: what is counted now, as server-sent events.
struct LiveRoutes {
    /// nil where nobody counts.
    let live: LiveHub?
    let queries: QueryRunner

    var routes: [Route] { [.reading(.get, "/v1/live", .query, handler: stream)] }

    @Sendable private func stream(_ request: Request, _ context: ServerContext) async throws -> Response {
        let parameters = QueryParameters(request)
        try parameters.allowOnly(["banner", "sums", "after"])
        let topic = try LiveRoutes.topic(parameters)
        let position = try LiveRoutes.position(request, parameters)
        guard let live else {
            throw NotFound(detail: "this server has no live stream; ask /v1/series", reason: "no_live_stream")
        }
        guard live.hasRoom else { throw TooManyStreams() }
        // Sums are in memory, but for the first stream that wants them, for which all others wait: they would take every slot.
        if topic.banners.isEmpty { return try await stream(topic, after: position, of: live, to: context.channel) }
        return try await queries.run(.light, context) {
            try await stream(topic, after: position, of: live, to: context.channel)
        }
    }

    private func stream(
        _ topic: LiveTopic, after position: LivePosition?, of live: LiveHub, to channel: any Channel
    ) async throws -> Response {
        let beginning = try await live.beginning(of: topic, after: position)
        let body = ResponseBody { output in
            // Only here, since the answer to HEAD has no body.
            if let watcher = live.join(topic, knowsUpTo: beginning.upTo) {
                defer { live.leave(watcher) }
                let client = ClientLeftHandler.watch(channel) { watcher.mailbox.close() }
                defer { client.stop() }
                try await output.write(LiveText.greeting)
                try await output.write(beginning.text)
                try await LiveRoutes.tell(watcher, topic, live: live, to: &output)
            }
            try await output.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .proxyBuffering: "no"], body: body)
    }

    /// Until the client has gone or the server stops.
    @concurrent private static func tell(
        _ watcher: LiveHub.Watcher, _ topic: LiveTopic, live: LiveHub, to output: inout any ResponseBodyWriter
    ) async throws {
        while let message = await watcher.mailbox.next() {
            switch message {
            case .bytes(let bytes):
                try await output.write(bytes)
                live.didTake(watcher)
            case .state:
                let state = try await live.stateText(of: topic)
                try await output.write(state.text)
                live.didTellState(watcher, upTo: state.upTo)
            }
        }
    }

    private static func topic(_ parameters: QueryParameters) throws(BadRequest) -> LiveTopic {
        let texts = parameters.all("banner")
        guard texts.count <= LiveTopic.maximumBanners else {
            throw BadRequest(
                detail: "\(texts.count) banners; allowed are up to \(LiveTopic.maximumBanners) in one stream")
        }
        let banners = Set(try texts.map { (text) throws(BadRequest) in try BannerID(text: text) })
        return LiveTopic(banners: banners, sums: try parameters.flag("sums") || banners.isEmpty)
    }

    /// The browser's own header first: it is newer than the address that the stream was opened with.
    private static func position(
        _ request: Request, _ parameters: QueryParameters
    ) throws(BadRequest) -> LivePosition? {
        // What another server said, or an earlier version, is no reason to refuse: the state is told anew.
        if let last = request.headers[.lastEventID], !last.isEmpty { return LivePosition(last) }
        guard let text = try parameters.single("after") else { return nil }
        guard let position = LivePosition(text) else {
            throw BadRequest(detail: "after is \(quoted(text)); allowed is the id of an event, as in journal-12ab@42")
        }
        return position
    }
}

/// As many watch as may.
struct TooManyStreams: Error {}

extension HTTPField.Name {
    static let lastEventID = HTTPField.Name("Last-Event-ID")!  // A constant that is a valid name.
    /// Asks nginx to hand on each event at once.
    static let proxyBuffering = HTTPField.Name("X-Accel-Buffering")!  // A constant that is a valid name.
}
