// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import TallyCore

@testable import tally

/// Answers what the commands ask, as section 5 of the design describes it, from a dictionary; and fails when told to.
final class FakeTallyServer: Sendable {
    struct Key: Hashable {
        var banner: BannerID
        var kind: Kind
        var minute: Minute
    }

    struct State {
        var counts: [Key: Int64] = [:]
        var sequences: [NodeID: Set<UInt64>] = [:]
        /// The banner of id n has the name at n - 1.
        var names: [String] = []
        /// Of a series; more are refused.
        var rowsLimit = Int.max
        /// Statuses to answer before anything else, each once.
        var failures: [HTTPResponse.Status] = []
        /// Method and path with query of every request.
        var requests: [String] = []
    }

    let state = Mutex(State())

    var total: Int64 { state.withLock { $0.counts.values.reduce(0, +) } }

    /// Runs `body` while the server listens on a free port.
    func serving(_ body: @escaping @Sendable (ServerURL) async throws -> Void) async throws {
        var logger = Logger(label: "fake")
        logger.logLevel = .critical
        let application = Application(
            router: router(), configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: logger)
        try await application.test(.live) { client in
            let port = client.port ?? 0
            guard let url = ServerURL("http://127.0.0.1:\(port)") else { throw CancellationError() }
            try await body(url)
        }
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/v1/nodes/:node") { request, context in
            try self.answer(request) { try self.node(context.parameters.require("node")) }
        }
        router.post("/v1/chunks") { request, _ in
            let body = try await request.body.collect(upTo: 8 << 20)
            return try self.answer(request) { try self.chunk(Array(body.readableBytesView)) }
        }
        router.post("/v1/banners") { request, _ in
            let body = try await request.body.collect(upTo: 8 << 20)
            return try self.answer(request) { try self.register(Data(body.readableBytesView)) }
        }
        router.get("/v1/banners") { request, _ in
            try self.answer(request) { try self.banners(after: request.uri.queryParameters["after"].map(String.init)) }
        }
        router.get("/v1/totals") { request, _ in try self.answer(request) { self.totals() } }
        router.get("/v1/series") { request, _ in
            let rows = try self.series(request)
            if rows.count <= self.state.withLock({ $0.rowsLimit }) {
                return try self.answer(request) { rows.joined() }
            }
            let problem = #"{"type":"urn:tally:problem:too_many_rows","title":"No","detail":"too many rows"}"#
            return Response(status: .badRequest, body: .init(byteBuffer: ByteBuffer(string: problem)))
        }
        return router
    }

    private func answer(_ request: Request, _ body: () throws -> String) throws -> Response {
        let failure = state.withLock { state in
            state.requests.append("\(request.method.rawValue) \(request.uri)")
            return state.failures.isEmpty ? nil : state.failures.removeFirst()
        }
        if let failure {
            let problem = #"{"title":"No","detail":"told to answer \#(failure.code)"}"#
            return Response(status: failure, body: .init(byteBuffer: ByteBuffer(string: problem)))
        }
        return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: try body())))
    }

    private func node(_ hex: String) throws -> String {
        guard let node = NodeID(hex: hex) else { throw HTTPError(.badRequest) }
        let sequences = state.withLock { $0.sequences[node] ?? [] }
        let last = sequences.max() ?? 0
        return #"{"node":"\#(node)","lastSequence":\#(last),"missing":\#(last - UInt64(sequences.count))}"#
    }

    private func chunk(_ bytes: [UInt8]) throws -> String {
        let chunk = try Chunk(decoding: bytes[...])
        return state.withLock { state in
            guard state.sequences[chunk.node, default: []].insert(chunk.sequence).inserted else {
                return #"{"accepted":0,"duplicate":true}"#
            }
            for delta in chunk.deltas + chunk.identified.map(\.delta) {
                let key = Key(banner: delta.banner, kind: chunk.kinds[Int(delta.kind)], minute: delta.minute)
                state.counts[key, default: 0] += delta.count
            }
            return #"{"accepted":\#(chunk.entryCount),"duplicate":false}"#
        }
    }

    private func register(_ body: Data) throws -> String {
        let names = try JSONDecoder().decode([String: [String]].self, from: body)["names"] ?? []
        guard names.count <= 1_000 else { throw HTTPError(.badRequest) }
        let items = state.withLock { state in
            names.map { name in
                if !state.names.contains(name) { state.names.append(name) }
                let id = (state.names.firstIndex(of: name) ?? -1) + 1
                return #"{"id":\#(id),"name":\#(JSONText.string(name))}"#
            }
        }
        return #"{"banners":[\#(items.joined(separator: ","))]}"#
    }

    private func banners(after: String?) throws -> String {
        guard let after = after.map({ BannerID(digits: $0).map { Int($0.value) } }) ?? 0 else {
            throw HTTPError(.badRequest)
        }
        let names = state.withLock { $0.names }
        let page = names.enumerated().dropFirst(after).prefix(1_000)
        let items = page.map { #"{"id":\#($0.offset + 1),"name":\#(JSONText.string($0.element)),"tags":[]}"# }
        let next = after + 1_000 < names.count ? "\(after + 1_000)" : "null"
        return #"{"banners":[\#(items.joined(separator: ","))],"next":\#(next)}"#
    }

    private func totals() -> String {
        let counts = state.withLock { $0.counts }
        guard let first = counts.keys.map(\.minute).min(), let last = counts.keys.map(\.minute).max() else {
            return #"{"total":0,"kinds":[],"banners":0}"#
        }
        return #"{"total":\#(total),"first":"\#(first.text())","last":"\#(last.text())"}"#
    }

    private func series(_ request: Request) throws -> [String] {
        let parameters = request.uri.queryParameters
        guard let from = parameters["from"].flatMap({ try? WrittenTime($0.removingPercentEncoding ?? "").minute }),
            let to = parameters["to"].flatMap({ try? WrittenTime($0.removingPercentEncoding ?? "").minute })
        else { throw HTTPError(.badRequest) }
        let banners = parameters[values: "banner"].map(String.init)
        let kinds = parameters[values: "kind"].map(String.init)
        let counts = state.withLock { $0.counts }.filter { key, _ in
            key.minute >= from && key.minute < to && (kinds.isEmpty || kinds.contains(key.kind.name))
                && (banners.isEmpty || banners.contains("\(key.banner)"))
        }
        return counts.map { key, count in
            #"{"banner":\#(key.banner),"kind":"\#(key.kind)","ts":"\#(key.minute.text())","v":\#(count),"final":true}"#
                + "\n"
        }
    }
}
