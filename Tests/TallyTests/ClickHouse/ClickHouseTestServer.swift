// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import TallyCore
import Testing

@testable import TallyBackends

/// The servers that `Scripts/test` starts, or that a variable names.
enum ClickHouseTestServer: String, CaseIterable, Sendable, CustomTestStringConvertible {
    /// Debian's, of 2018.
    case old = "TALLY_TEST_CLICKHOUSE"
    /// A modern one, or its engine behind an HTTP interface for tests.
    case modern = "TALLY_TEST_CLICKHOUSE_MODERN"

    var testDescription: String {
        switch self {
        case .old: "ClickHouse 18.16"
        case .modern: "modern ClickHouse"
        }
    }

    /// - Throws: what cancels the test when the variable isn't there.
    func address() throws -> String {
        guard let text = ProcessInfo.processInfo.environment[rawValue] else {
            try Test.cancel("\(rawValue) is not set")
        }
        return text
    }

    /// - Parameter body: gets a database of its own, which is removed afterwards.
    func withDatabase<Result>(_ body: (ClickHouseURL) async throws -> Result) async throws -> Result {
        let name = "tally_test_" + UUID().uuidString.lowercased().replacing("-", with: "")
        let server = try ClickHouseURL(try address())
        let database = try ClickHouseURL(ClickHouseTestServer.address(try address(), database: name))
        try await run("CREATE DATABASE \(name)", on: server)
        do {
            let result = try await body(database)
            try await run("DROP DATABASE \(name)", on: server)
            return result
        } catch {
            try? await run("DROP DATABASE \(name)", on: server)
            throw error
        }
    }

    /// The same address with another database, and perhaps another user.
    static func address(_ text: String, database: String, user: String? = nil) throws -> String {
        guard var parts = URLComponents(string: text) else { throw HarnessError("\(text) is no URL") }
        parts.path = "/" + database
        if let user { parts.user = user }
        return parts.string ?? text
    }

    private func run(_ sql: String, on url: ClickHouseURL) async throws {
        _ = try await ClickHouseTestServer.run(.definition(sql), on: url)
    }

    /// - Returns: the answer as text; a SELECT may name its format.
    @discardableResult
    static func run(_ statement: ClickHouseStatement, on url: ClickHouseURL) async throws -> String {
        let client = ClickHouseClient(url, timeout: .seconds(60))
        do {
            let answer = try await client.run(statement)
            try await client.close()
            return String(buffer: answer)
        } catch {
            try? await client.close()
            throw error
        }
    }
}

/// A server and a layout.
struct ClickHouseSubject: Sendable, CustomTestStringConvertible {
    let server: ClickHouseTestServer
    let layout: Layout

    static let all = ClickHouseTestServer.allCases.flatMap { server in
        Layout.allCases.map { ClickHouseSubject(server: server, layout: $0) }
    }

    var testDescription: String { "\(server.testDescription), \(layout)" }

    /// - Parameter body: gets an empty store, which is closed and removed afterwards.
    func withStore<Result>(_ body: (ClickHouseStore) async throws -> Result) async throws -> Result {
        try await server.withDatabase { url in try await withStore(at: url, body) }
    }

    func withStore<Result>(
        at url: ClickHouseURL, _ body: (ClickHouseStore) async throws -> Result
    ) async throws -> Result {
        let store = ClickHouseStore(url, layout: layout, readsBackAlways: true)
        do {
            let result = try await body(store)
            try await store.close()
            return result
        } catch {
            try? await store.close()
            throw error
        }
    }
}
