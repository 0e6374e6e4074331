// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import TallyCore

/// Speaks ClickHouse's HTTP interface: a statement goes out, an answer or a reason comes back, within a given time.
final class ClickHouseClient: Sendable {
    let url: ClickHouseURL
    /// Of the statements at one time; a server refuses more than 100 unless it was told otherwise.
    private static let mostAtOnce = 64

    private let http: HTTPClient
    private let places = ClickHousePlaces(ClickHouseClient.mostAtOnce)
    private let timeout: Duration

    /// - Parameter timeout: how long one statement may take in all.
    init(_ url: ClickHouseURL, timeout: Duration) {
        self.url = url
        self.timeout = timeout
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        // Servers close idle connections, the oldest ones after 3 s: to have let go before is better than to lose a race.
        configuration.connectionPool.idleTimeout = .seconds(2)
        // Whoever asks has patience of its own, and an answer at once is worth more to it.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Nobody waits in the pool for another's connection: it gives that up as soon as a new connection, long before the end
        // of what a statement may take.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = ClickHouseClient.mostAtOnce
        if let file = url.certificateAuthority {
            var security = TLSConfiguration.makeClientConfiguration()
            security.trustRoots = .file(file)
            configuration.tlsConfiguration = security
        }
        http = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    /// Who failed before it could close it has let go all the same.
    deinit { http.shutdown { _ in } }

    func close() async throws(StoreError) {
        do { try await http.shutdown() } catch { throw failure(error) }
    }

    /// - Parameter within: instead of the time that statements have otherwise.
    /// - Returns: the body of the answer.
    func run(_ statement: ClickHouseStatement, within: Duration? = nil) async throws(StoreError) -> ByteBuffer {
        let limit = within ?? timeout
        do {
            return try await Patience.within(limit) {
                // Not until the very end, so that the server's reason is told.
                let end = ContinuousClock.now + limit * 2 / 3
                return try await self.places.within { try await self.exchangeWhenReady(statement, until: end) }
            }
        } catch is Patience.IsOver {
            throw .unavailable("the store at \(url) did not answer within \(limit / .seconds(1)) s")
        } catch {
            throw failure(error)
        }
    }

    /// What an error means for the caller, with the store's address.
    func failure(_ error: any Error) -> StoreError {
        switch error {
        case let error as StoreError: error
        case let error as ClickHouseDamage: .damaged("the store at \(url) is damaged: \(error.what)")
        case let error as ClickHouseRefusal: .unavailable("the store at \(url) can't be used: \(error.reason)")
        case is CancellationError: .unavailable("the store at \(url) did not finish: the task was cancelled")
        default: .unavailable("the store at \(url) can't be reached: \(reason(error))")
        }
    }

    private func reason(_ error: any Error) -> String {
        switch error {
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: ClickHouseTLS.reason(error, at: url)
        case let error as HTTPClientError where error == .connectTimeout || error == .getConnectionFromPoolTimeout:
            "it does not accept the connection"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "it closed the connection"
        case let error as HTTPClientError: error.shortDescription
        case ChannelError.ioOnClosedChannel: "it closed the connection"
        default: "\(error)"
        }
    }

    /// Replicas that have to agree are not always ready: a read finds one that lags behind, a write one that another still
    /// writes to. Both pass, and soon.
    private func exchangeWhenReady(_ statement: ClickHouseStatement, until end: ContinuousClock.Instant) async throws
        -> ByteBuffer
    {
        while ContinuousClock.now < end {
            if let answer = try await exchangeIfReady(statement) { return answer }
            try await Task.sleep(for: .milliseconds(.random(in: 10...100)))
        }
        return try await exchangeTwice(statement)
    }

    /// - Returns: nil when it is to be tried again.
    private func exchangeIfReady(_ statement: ClickHouseStatement) async throws -> ByteBuffer? {
        do {
            return try await exchangeTwice(statement)
        } catch let refusal as ClickHouseRefusal where refusal.isOfUnreadyReplicas {
            return nil
        }
    }

    /// The server may have closed a connection just when it was taken up again. Every statement of a store may be done
    /// twice.
    private func exchangeTwice(_ statement: ClickHouseStatement) async throws -> ByteBuffer {
        do {
            return try await exchange(statement)
        } catch  where ClickHouseClient.isOfClosedConnection(error) {
            return try await exchange(statement)
        }
    }

    private static func isOfClosedConnection(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error == .remoteConnectionClosed
        case ChannelError.ioOnClosedChannel: true
        default: false
        }
    }

    private func exchange(_ statement: ClickHouseStatement) async throws -> ByteBuffer {
        let response = try await http.execute(request(for: statement), deadline: .distantFuture)
        let body = try await response.body.collect(upTo: .max)
        guard response.status == .ok, !response.headers.contains(name: "X-ClickHouse-Exception-Code") else {
            throw ClickHouseRefusal(status: response.status.code, body: body)
        }
        return body
    }

    private func request(for statement: ClickHouseStatement) -> HTTPClientRequest {
        let parameters = [(name: "database", value: url.database)] + statement.parameters
        let query = parameters.map { "\($0.name)=\(ClickHouseClient.encoded($0.value))" }.joined(separator: "&")
        let host = url.host.contains(":") && !url.host.hasPrefix("[") ? "[\(url.host)]" : url.host
        var request = HTTPClientRequest(url: "\(url.isSecure ? "https" : "http")://\(host):\(url.port)/?\(query)")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: statement.contentType)
        // Never in the URL, which servers log.
        request.headers.add(name: "X-ClickHouse-User", value: url.user)
        request.headers.add(name: "X-ClickHouse-Key", value: url.password)
        request.body = .bytes(statement.body)
        return request
    }

    private static func encoded(_ value: String) -> String {
        value.addingPercentEncoding(withAllowedCharacters: unreserved) ?? value
    }

    private static let unreserved = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
}

/// The server answered that it didn't do it.
struct ClickHouseRefusal: Error {
    /// ClickHouse's number of the error; nil when the answer isn't ClickHouse's.
    let code: Int?
    /// One line.
    let reason: String

    /// A replica lags behind what most have, or the block before this one is not on enough of them yet.
    var isOfUnreadyReplicas: Bool { code == 289 || code == 286 }

    /// No name of a table or a value in it is a secret, but it may be endless.
    private static let longestReason = 400

    init(status: UInt, body: ByteBuffer) {
        let text = String(buffer: body).prefix { $0 != "\n" }
        // 18.16: `Code: 60, e.displayText() = DB::Exception: Table …, e.what() = DB::Exception`
        let said = text.replacing(", e.displayText() = ", with: ". ").replacing(", e.what() = DB::Exception", with: "")
        code = said.wholeMatch(of: /Code: (\d+)\..*/).flatMap { Int($0.output.1) }
        reason = said.isEmpty ? "HTTP status \(status) without a reason" : String(said.prefix(Self.longestReason))
    }
}
