// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Asks the server over HTTP. What may pass (no connection, 503, 429) is asked again: every request here may be made
/// twice without harm.
struct TallyClient {
    let server: ServerURL
    private let http: HTTPClient
    private let retries: RetrySchedule
    private let note: @Sendable (String) -> Void

    /// How long an answer may keep silent.
    private static let silence = TimeAmount.seconds(60)
    private static let longestAnswer = 64 << 20

    /// Runs `body` with a client whose connections are closed behind it.
    ///
    /// - Parameter note: is told when a request is tried again.
    static func with<Result>(
        _ server: ServerURL, retries: RetrySchedule, note: @escaping @Sendable (String) -> Void = StandardError.print,
        body: (TallyClient) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10), read: silence), decompression: .disabled)
        // The first connection that fails is the caller's to hear of: it has its own schedule.
        configuration.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(configuration: configuration)
        do {
            let result = try await body(TallyClient(server: server, http: http, retries: retries, note: note))
            try await http.shutdown()
            return result
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private init(
        server: ServerURL, http: HTTPClient, retries: RetrySchedule, note: @escaping @Sendable (String) -> Void
    ) {
        self.server = server
        self.http = http
        self.retries = retries
        self.note = note
    }

    func get<Answer: Decodable>(
        _ path: String, query: [(name: String, value: String)] = [], as type: Answer.Type
    ) async throws -> Answer {
        let request = HTTPClientRequest(url: server.url(path: path, query: query))
        return try await decode(type, from: try await withRetries { try await whole(request) }, of: path)
    }

    func post<Answer: Decodable>(
        _ path: String, _ contentType: String, _ body: [UInt8], as type: Answer.Type
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: server.url(path: path, query: []))
        request.method = .POST
        request.headers.add(name: "Content-Type", value: contentType)
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await decode(type, from: try await withRetries { try await whole(request) }, of: path)
    }

    /// Calls `line` with each line of the answer as it comes. It is not asked again once a line has come.
    func lines(
        _ path: String, query: [(name: String, value: String)], line: (Record) throws -> Void
    ) async throws {
        let request = HTTPClientRequest(url: server.url(path: path, query: query))
        let response = try await withRetries { try await answer(request) }
        var splitter = RecordSplitter()
        var pieces = response.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do { piece = try await pieces.next() } catch { throw brokenOff(error, path) }
            guard let piece else { break }
            for record in splitter.split(Array(piece.readableBytesView)) { try line(record) }
        }
        if let last = splitter.finish() { try line(last) }
    }

    private func whole(_ request: HTTPClientRequest) async throws -> [UInt8] {
        let response = try await answer(request)
        return Array(try await response.body.collect(upTo: TallyClient.longestAnswer).readableBytesView)
    }

    private func decode<Answer: Decodable>(_ type: Answer.Type, from body: [UInt8], of path: String) async throws
        -> Answer
    {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw CommandFailure.failed("\(server)\(path): the answer is not what tally answers; is it another server?")
        }
    }

    /// The answer, when it is a success.
    private func answer(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        let response = try await http.execute(request, deadline: .distantFuture)
        if (200...299).contains(response.status.code) { return response }
        let body = try? await response.body.collect(upTo: 1 << 20)
        let problem = body.flatMap { try? JSONDecoder().decode(ProblemAnswer.self, from: Data($0.readableBytesView)) }
        let wait = response.headers.first(name: "Retry-After").flatMap { Int64($0) }.map { Duration.seconds($0) }
        if problem?.type == "urn:tally:problem:too_many_rows" { throw TooManyRowsAsked(problem: problem?.text ?? "") }
        throw RefusedRequest(
            status: Int(response.status.code), reason: problem?.text ?? response.status.reasonPhrase, retryAfter: wait)
    }

    private func withRetries<Result>(_ attempt: () async throws -> Result) async throws -> Result {
        var schedule = retries
        while true {
            let problem: String
            let asked: Duration?
            do {
                return try await attempt()
            } catch let refused as RefusedRequest {
                problem = "\(server) answers \(refused.status): \(PlainText.of(refused.reason, upTo: 500))"
                asked = refused.retryAfter
                guard refused.mayPass else { throw CommandFailure.failed(problem) }
            } catch let refused as TooManyRowsAsked {
                throw refused
            } catch {
                if Task.isCancelled { throw CancellationError() }
                problem = "\(server) does not answer: \(ConnectionProblem.text(error))"
                asked = nil
            }
            guard let pause = schedule.nextPause(asked: asked) else { throw CommandFailure.failed(problem) }
            note("tally: \(problem); trying again in \(DurationText.text(pause))")
            try await Task.sleep(for: pause)
        }
    }

    private func brokenOff(_ error: any Error, _ path: String) -> any Error {
        if Task.isCancelled { return CancellationError() }
        return CommandFailure.failed("\(server)\(path): the answer broke off: \(ConnectionProblem.text(error))")
    }
}

/// The answer would be made of more rows than the server allows: a smaller question has an answer.
struct TooManyRowsAsked: Error, CustomStringConvertible {
    let problem: String

    var description: String { PlainText.of(problem, upTo: 500) }
}

/// The server answered with something else than a success.
private struct RefusedRequest: Error {
    let status: Int
    let reason: String
    let retryAfter: Duration?

    var mayPass: Bool { status == 503 || status == 429 }
}
