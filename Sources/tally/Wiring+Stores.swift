// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore

extension Wiring {
    /// Opens the store, and makes it where there is none.
    static func openStore(_ url: StoreURL, layout: Layout) throws -> any Store {
        switch url {
        case .sqlite(let path): return try SQLiteStore(path: path, layout: layout)
        case .postgreSQL, .clickHouse: throw CommandFailure.failed("\(url): this store is not in this version")
        }
    }

    /// Opens the store with the layout that it has.
    /// - Returns: nil when there is none.
    static func existingStore(_ url: StoreURL) async throws -> (any Store)? {
        switch url {
        case .sqlite(let path):
            guard let layout = try SQLiteStore.layout(ofFileAt: path) else { return nil }
            return try SQLiteStore(path: path, layout: layout)
        case .postgreSQL, .clickHouse: throw CommandFailure.failed("\(url): this store is not in this version")
        }
    }
}
