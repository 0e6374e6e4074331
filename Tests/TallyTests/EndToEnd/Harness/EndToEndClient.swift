// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Speaks HTTP to one server, as its users do. Connections are kept alive and shared; a request is never sent twice.
struct EndToEndClient: Sendable {
    struct Answer: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        func header(_ name: String) -> String? { headers.first(name: name) }

        func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
            do {
                return try JSONDecoder().decode(type, from: Data(body))
            } catch {
                throw HarnessError("\(status) \(text) is not \(type): \(error)")
            }
        }
    }

    let port: Int

    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: .seconds(30)))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    func get(_ path: String) async throws -> Answer { try await send(.GET, path) }

    func post(_ path: String, _ body: String, type: String = "application/json") async throws -> Answer {
        try await send(.POST, path, body: body, type: type)
    }

    func put(_ path: String, _ body: String) async throws -> Answer {
        try await send(.PUT, path, body: body, type: "application/json")
    }

    private func send(_ method: HTTPMethod, _ path: String, body: String? = nil, type: String? = nil) async throws
        -> Answer
    {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = method
        if let type { request.headers.add(name: "Content-Type", value: type) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await Self.http.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 64 << 20)
        return Answer(status: Int(response.status.code), headers: response.headers, body: Array(body.readableBytesView))
    }
}

extension EndToEndClient {
    /// One click by the user's first endpoint.
    /// - Parameter id: makes a repetition harmless.
    func count(_ banner: Int, id: String? = nil) async throws -> Answer {
        try await get("/counter/\(banner)" + (id.map { "?id=\($0)" } ?? ""))
    }

    /// - Throws: `HarnessError` when a click is not acknowledged.
    func click(_ banner: Int, times: Int = 1) async throws {
        for _ in 0..<times {
            let answer = try await count(banner)
            guard answer.status == 204 else {
                throw HarnessError("a click was answered \(answer.status) \(answer.text)")
            }
        }
    }

    struct Accepted: Decodable {
        struct Rejected: Decodable {
            let line: Int
            let error: String
        }
        let accepted: Int
        let rejected: [Rejected]
    }

    /// - Parameter lines: one JSON object for each event.
    func post(events lines: [String]) async throws -> Answer {
        try await post("/v1/events", lines.joined(separator: "\n") + "\n", type: "application/x-ndjson")
    }

    struct Stats: Decodable {
        struct Point: Decodable {
            let ts: String
            let v: Int
        }
        let stats: [Point]
    }

    /// The clicks of a banner by the minute, from a day ago until a day ahead.
    func stats(of banner: Int) async throws -> [Stats.Point] {
        let format = Date.ISO8601FormatStyle()
        let from = Date.now.addingTimeInterval(-86400).formatted(format)
        let to = Date.now.addingTimeInterval(86400).formatted(format)
        let answer = try await post("/stats/\(banner)", #"{"from":"\#(from)","to":"\#(to)"}"#)
        guard answer.status == 200 else { throw HarnessError("/stats/\(banner): \(answer.status) \(answer.text)") }
        return try answer.json(Stats.self).stats
    }

    func total(of banner: Int) async throws -> Int {
        try await stats(of: banner).reduce(0) { $0 + $1.v }
    }

    /// The sum of all series of this name in `/metrics`.
    /// - Returns: nil when there is none.
    func metric(_ name: String) async throws -> Double? {
        let values = try await get("/metrics").text.split(separator: "\n").compactMap { line -> Double? in
            guard line.hasPrefix(name), let next = line.dropFirst(name.count).first, next == "{" || next == " " else {
                return nil
            }
            return line.split(separator: " ").last.flatMap { Double($0) }
        }
        return values.isEmpty ? nil : values.reduce(0, +)
    }
}
