// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore

extension Wiring {
    /// Opens the store, and makes it where there is none.
    static func openStore(_ url: StoreURL, layout: Layout) throws -> any Store {
        switch url {
        case .sqlite(let path): return try SQLiteStore(path: path, layout: layout)
        case .postgreSQL(let url): return try openStore(url, layout: layout)
        case .clickHouse(let url): return ClickHouseStore(url, layout: layout)
        }
    }

    /// Opens the store with the layout that it has.
    /// - Returns: nil when there is none.
    static func existingStore(_ url: StoreURL) async throws -> (any Store)? {
        switch url {
        case .sqlite(let path):
            guard let layout = try SQLiteStore.layout(ofFileAt: path) else { return nil }
            return try SQLiteStore(path: path, layout: layout)
        case .postgreSQL(let url): return try await existingStore(url)
        case .clickHouse(let url):
            guard let layout = try await ClickHouseStore.layout(of: url) else { return nil }
            return ClickHouseStore(url, layout: layout)
        }
    }

    /// The SQL that makes the tables of a store. That of ClickHouse depends on what the server can do, which is asked.
    static func migrations(_ url: StoreURL, layout: Layout) async throws -> String {
        switch url {
        case .sqlite: throw CommandFailure.failed("a file of SQLite is made by tally itself; there is nothing to print")
        case .postgreSQL(let url): return try migrations(url, layout: layout)
        case .clickHouse(let url):
            let store = ClickHouseStore(url, layout: layout)
            let statements = try await store.missingMigrations()
            try await store.close()
            return statements.map { $0 + ";\n" }.joined(separator: "\n")
        }
    }

    /// Makes the tables of a store, or brings them up to this version.
    static func migrate(_ url: StoreURL, layout: Layout) async throws -> MaintenanceReport {
        do {
            let store = try openStore(url, layout: layout)
            // The first call makes the tables.
            let logs = try await store.logs()
            try await store.close()
            return MaintenanceReport(
                facts: [
                    .init(name: "store", value: "\(url)"), .init(name: "layout", value: "\(layout)"),
                    .init(name: "logs", value: NumberText.grouped(logs.count)),
                ], problems: [])
        } catch let error as StoreError {
            throw CommandFailure.failed("\(error)")
        }
    }
}

#if PostgreSQL
extension Wiring {
    private static func openStore(_ url: PostgreSQLURL, layout: Layout) throws -> any Store {
        PostgreSQLStore(url: url, layout: layout)
    }

    private static func existingStore(_ url: PostgreSQLURL) async throws -> (any Store)? {
        try await PostgreSQLStore.layout(at: url).map { PostgreSQLStore(url: url, layout: $0) }
    }

    private static func migrations(_ url: PostgreSQLURL, layout: Layout) throws -> String {
        PostgreSQLSchema(layout: layout).script
    }
}
#else
/// Without libpq there is no such address, so nobody comes here.
extension Wiring {
    private static func openStore(_ url: PostgreSQLURL, layout: Layout) throws -> any Store { throw withoutLibpq }

    private static func existingStore(_ url: PostgreSQLURL) async throws -> (any Store)? { throw withoutLibpq }

    private static func migrations(_ url: PostgreSQLURL, layout: Layout) throws -> String { throw withoutLibpq }

    private static var withoutLibpq: CommandFailure { .failed("this tally was built without PostgreSQL") }
}
#endif
