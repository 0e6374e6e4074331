// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore

/// The kinds and logs that a store's file knows, with the small numbers that stand for them in its rows. It is read anew
/// in each transaction, so that it always fits the rows of that transaction; both tables are short.
struct SQLiteNames {
    private(set) var kindNumbers: [Kind: Int64] = [:]
    private(set) var logNumbers: [LogID: Int64] = [:]
    private var kinds: [Int64: Kind] = [:]
    private var logs: [Int64: LogID] = [:]

    init(in database: Database) throws {
        for (number, name) in try SQLiteNames.names(in: database, sql: "SELECT kind_id, name FROM kinds") {
            guard let kind = Kind(name) else { throw SQLiteDamage("\"\(name)\" in kinds is no kind: \(Kind.allowed)") }
            kinds[number] = kind
            kindNumbers[kind] = number
        }
        for (number, name) in try SQLiteNames.names(in: database, sql: "SELECT log_id, name FROM logs") {
            guard let log = LogID(name) else { throw SQLiteDamage("\"\(name)\" in logs is no name of a log") }
            logs[number] = log
            logNumbers[log] = number
        }
    }

    func kind(_ number: Int64) throws -> Kind {
        guard let kind = kinds[number] else { throw SQLiteDamage("kind \(number) is not in kinds") }
        return kind
    }

    func log(_ number: Int64) throws -> LogID {
        guard let log = logs[number] else { throw SQLiteDamage("log \(number) is not in logs") }
        return log
    }

    /// The number of this kind; a new one if it has none yet.
    mutating func number(of kind: Kind, in database: Database) throws -> Int64 {
        if let number = kindNumbers[kind] { return number }
        try database.execute(sql: "INSERT INTO kinds (name) VALUES (?)", arguments: [kind.name])
        let number = database.lastInsertedRowID
        kinds[number] = kind
        kindNumbers[kind] = number
        return number
    }

    /// The number of this log; a new one if it has none yet.
    mutating func number(of log: LogID, in database: Database) throws -> Int64 {
        if let number = logNumbers[log] { return number }
        try database.execute(sql: "INSERT INTO logs (name) VALUES (?)", arguments: [log.name])
        let number = database.lastInsertedRowID
        logs[number] = log
        logNumbers[log] = number
        return number
    }

    private static func names(in database: Database, sql: String) throws -> [(number: Int64, name: String)] {
        let rows = try GRDB.Row.fetchCursor(database.cachedStatement(sql: sql))
        var names: [(number: Int64, name: String)] = []
        while let row = try rows.next() {
            names.append((try row.integer(at: 0, "the number of a name"), try row.text(at: 1, "a name")))
        }
        return names
    }
}
