// SPDX-License-Identifier: Apache-2.0

import GRDB

/// Notices every write to an open store, of this process and of others: a connection of its own, which never writes, and which
/// SQLite tells when anybody else has. A look costs a few microseconds; the times of the files would not tell two writes
/// within one tick of the clock apart.
final class SQLiteWatch: Sendable {
    private let connection: DatabaseQueue

    /// - Parameter path: of an open store, in the write-ahead mode, where nobody who reads waits for those who write.
    init(path: String, configuration: Configuration) throws {
        var configuration = configuration
        configuration.readonly = true
        configuration.label = "tally store watch"
        connection = try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Another number than before when anything was committed in between.
    var version: Int64 {
        get throws {
            // Without a transaction of its own, in which the number would stand still.
            try connection.unsafeRead { database in
                try Int64.fetchOne(try database.cachedStatement(sql: "PRAGMA data_version")) ?? 0
            }
        }
    }

    func close() throws { try connection.close() }
}
