// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import Foundation
import TallyCore
import Testing

@testable import TallyBackends

/// A schema of its own on the server of the tests.
struct PostgreSQLTestSchema: Sendable {
    let name: String
    let url: PostgreSQLURL
    /// Of the server, with another schema than this.
    private let server: PostgreSQLURL

    /// - Parameter parameters: more of the URL, such as `&sslmode=require`.
    static func use<Value>(
        on server: String? = TestServer.postgreSQL, parameters: String = "",
        _ body: (PostgreSQLTestSchema) async throws -> Value
    ) async throws -> Value {
        let server = try #require(server, "TALLY_TEST_POSTGRES names the server")
        let name = "test_" + UUID().uuidString.lowercased().replacing("-", with: "")
        let schema = PostgreSQLTestSchema(
            name: name, url: try PostgreSQLURL("\(server)?options=-csearch_path%3D\(name)\(parameters)"),
            server: try PostgreSQLURL(server))
        try await schema.run("CREATE SCHEMA \(name)")
        do {
            let value = try await body(schema)
            try await schema.run("DROP SCHEMA \(name) CASCADE")
            return value
        } catch {
            try? await schema.run("DROP SCHEMA IF EXISTS \(name) CASCADE")
            throw error
        }
    }

    /// Runs statements as whoever administers the database does: on a connection of their own.
    func run(_ script: String) async throws {
        try await PostgreSQLClient(url: server).run("SET search_path = \(name); \(script)")
    }

    /// The rows that a statement answers, each value as its text.
    func texts(_ sql: String) async throws -> [[String]] {
        try await PostgreSQLClient(url: server).texts(sql, searchPath: name)
    }
}

/// Somebody with an SQL client; each call has a connection of its own.
struct PostgreSQLClient: Sendable {
    let url: PostgreSQLURL

    func run(_ script: String) async throws {
        try await connected { connection in try connection.run(script: script) }
    }

    func texts(_ sql: String, searchPath: String = "public") async throws -> [[String]] {
        try await connected { connection in
            try connection.run(script: "SET search_path = \(searchPath)")
            let values = "ARRAY(SELECT value FROM json_each_text(row_to_json(found)))"
            let result = try connection.run("SELECT array_to_string(\(values), '|') FROM (\(sql)) found")
            return (0..<result.rowCount).map { result.text($0, 0).split(separator: "|").map(String.init) }
        }
    }

    private func connected<Value: Sendable>(
        _ body: @escaping @Sendable (PostgreSQLConnection) throws -> Value
    ) async throws -> Value {
        let url = url.text
        let result: Result<Value, any Error> = await BlockingExecutor().run {
            Result { try body(try PostgreSQLConnection(url: url, limit: .seconds(60))) }
        }
        return try result.get()
    }
}

extension StoreSubjects {
    static func postgreSQL(_ layout: Layout) -> StoreSubject<any TallyBackends.Store> {
        StoreSubject(testDescription: "PostgreSQL, \(layout)") { body in
            try await PostgreSQLTestSchema.use { schema in
                let store = PostgreSQLStore(url: schema.url, layout: layout)
                try await body(store)
                await store.close()
            }
        }
    }
}

extension Trait where Self == ConditionTrait {
    static var needsPostgreSQL: Self {
        .enabled(if: TestServer.postgreSQL != nil, "TALLY_TEST_POSTGRES names no server; make test starts one")
    }
}

#endif
