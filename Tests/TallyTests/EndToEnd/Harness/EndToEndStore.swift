// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyBackends

/// A store that a server under test can use.
enum EndToEndStore: CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite
    case oldClickHouse
    case modernClickHouse
    #if PostgreSQL
    case postgreSQL
    #endif

    var testDescription: String {
        switch self {
        case .sqlite: "SQLite"
        case .oldClickHouse: ClickHouseTestServer.old.testDescription
        case .modernClickHouse: ClickHouseTestServer.modern.testDescription
        #if PostgreSQL
        case .postgreSQL: "PostgreSQL"
        #endif
        }
    }

    /// - Parameter body: gets the options of `tally serve` that choose an empty store.
    func withOptions(_ body: ([String]) async throws -> Void) async throws {
        switch self {
        case .sqlite: try await body([])
        case .oldClickHouse: try await withOptions(.old, body)
        case .modernClickHouse: try await withOptions(.modern, body)
        #if PostgreSQL
        case .postgreSQL:
            if TestServer.postgreSQL == nil { try Test.cancel("TALLY_TEST_POSTGRES is not set") }
            try await PostgreSQLTestSchema.use { schema in try await body(["--store", schema.url.text]) }
        #endif
        }
    }

    private func withOptions(_ server: ClickHouseTestServer, _ body: ([String]) async throws -> Void) async throws {
        let address = try server.address()
        try await server.withDatabase { url in
            try await body(["--store", ClickHouseTestServer.address(address, database: url.database)])
        }
    }
}
