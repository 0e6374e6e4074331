// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
package import TallyCore

/// The servers that count, asked over HTTP for what they have not stored yet. Names are looked up every few seconds, and
/// all their addresses are asked at once; none may take longer than the patience for all of them.
package final class Aggregators: UnflushedSource {
    private let names: [HostName]
    private let layout: Layout
    private let patience: Duration
    private let http: HTTPClient
    private let lookUp: HostLookUp

    /// - Parameters:
    ///   - addresses: hosts with their ports.
    ///   - layout: of the rows that are expected.
    ///   - patience: how long an answer may take.
    package init(_ addresses: [(host: String, port: Int)], layout: Layout, patience: Duration = .seconds(1)) {
        names = addresses.map { HostName(host: $0.host, port: $0.port) }
        self.layout = layout
        self.patience = patience
        lookUp = HostLookUp()
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .milliseconds(500)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = .seconds(20)
        http = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    deinit { http.shutdown { _ in } }

    package func unflushed(in range: RowRange) async -> UnflushedAnswer {
        let found = await lookUp.addresses(of: names, within: patience)
        let question = ByteBuffer(bytes: range.encoded())
        return await withTaskGroup(of: UnflushedAnswer.self) { group in
            for address in found.addresses { group.addTask { await self.ask(address, question) } }
            var all = UnflushedAnswer(problems: found.problems)
            for await answer in group {
                all.views += answer.views
                all.problems += answer.problems
            }
            return all
        }
    }

    private func ask(_ address: HostName, _ question: ByteBuffer) async -> UnflushedAnswer {
        do {
            let body = try await Patience.within(patience) { try await self.exchange(address, question) }
            return UnflushedAnswer(views: try LogView.decode(Array(buffer: body), layout: layout))
        } catch {
            return UnflushedAnswer(problems: ["\(address) \(Aggregators.reason(error, patience))"])
        }
    }

    private func exchange(_ address: HostName, _ question: ByteBuffer) async throws -> ByteBuffer {
        var request = HTTPClientRequest(url: "http://\(address)/v1/unflushed")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/octet-stream")
        request.body = .bytes(question)
        do {
            return try await collect(request)
        } catch let error as HTTPClientError where error == .remoteConnectionClosed {
            // The server may have closed a connection just when it was taken up again.
            return try await collect(request)
        }
    }

    private func collect(_ request: HTTPClientRequest) async throws -> ByteBuffer {
        let response = try await http.execute(request, deadline: .distantFuture)
        guard response.status == .ok else { throw UnexpectedStatus(status: response.status.code) }
        return try await response.body.collect(upTo: 1 << 30)
    }

    private struct UnexpectedStatus: Error { let status: UInt }

    private static func reason(_ error: any Error, _ patience: Duration) -> String {
        switch error {
        case is Patience.IsOver: "did not answer within \(patience / .seconds(1)) s"
        case let error as UnexpectedStatus: "answered with status \(error.status)"
        case ByteReadingError.otherLayout: "counts in another layout (--layout)"
        case ByteReadingError.unknownVersion: "is another version of tally"
        case is ByteReadingError: "answered with what is no answer"
        case let error as HTTPClientError where error == .connectTimeout: "does not accept the connection"
        case let error as HTTPClientError: "can't be asked: \(error.shortDescription)"
        default: "can't be reached: \(error)"
        }
    }
}

/// Where a server is: a name, or one of its addresses.
struct HostName: Hashable, Sendable, CustomStringConvertible {
    let host: String
    let port: Int

    var description: String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
