// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import Testing

/// A store that a server under test can use.
enum EndToEndStore: CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite
    case oldClickHouse
    case modernClickHouse

    var testDescription: String {
        switch self {
        case .sqlite: "SQLite"
        case .oldClickHouse: ClickHouseTestServer.old.testDescription
        case .modernClickHouse: ClickHouseTestServer.modern.testDescription
        }
    }

    /// - Parameter body: gets the options of `tally serve` that choose an empty store.
    func withOptions(_ body: ([String]) async throws -> Void) async throws {
        switch self {
        case .sqlite: try await body([])
        case .oldClickHouse: try await withOptions(.old, body)
        case .modernClickHouse: try await withOptions(.modern, body)
        }
    }

    private func withOptions(_ server: ClickHouseTestServer, _ body: ([String]) async throws -> Void) async throws {
        let address = try server.address()
        try await server.withDatabase { url in
            try await body(["--store", ClickHouseTestServer.address(address, database: url.database)])
        }
    }
}
