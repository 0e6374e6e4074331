// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore

/// The kinds and logs that a store's file knows, with the small numbers that stand for them in its rows. It is read anew
/// in each transaction, so that it always fits the rows of that transaction; both tables are short.
struct SQLiteNames {
    var kinds: SQLiteNameTable<Kind>
    var logs: SQLiteNameTable<LogID>

    init(in database: Database) throws {
        kinds = try SQLiteNameTable(of: "kind", in: database, name: \.name) { name in
            guard let kind = Kind(stored: name) else {
                throw SQLiteDamage("\"\(name)\" in kinds is no kind: \(Kind.allowed)")
            }
            return kind
        }
        logs = try SQLiteNameTable(of: "log", in: database, name: \.name) { name in
            guard let log = LogID(name) else { throw SQLiteDamage("\"\(name)\" in logs is no name of a log") }
            return log
        }
    }
}

/// One of the tables that give names small numbers.
struct SQLiteNameTable<Value: Hashable> {
    /// What its names are of, such as "kind": the table is then `kinds`, with the numbers in `kind_id`.
    private let noun: String
    private let name: KeyPath<Value, String>
    private(set) var numbers: [Value: Int64] = [:]
    private var values: [Int64: Value] = [:]

    /// - Parameter value: makes the value of a name in the table, or says why there is none.
    init(
        of noun: String, in database: Database, name: KeyPath<Value, String>, value: (String) throws -> Value
    ) throws {
        self.noun = noun
        self.name = name
        let rows = try GRDB.Row.fetchCursor(database.cachedStatement(sql: "SELECT \(noun)_id, name FROM \(noun)s"))
        while let row = try rows.next() {
            let number = try row.integer(at: 0, "the number of a name")
            add(try value(row.text(at: 1, "a name")), number)
        }
    }

    /// The value with this number.
    subscript(number: Int64) -> Value {
        get throws {
            guard let value = values[number] else { throw SQLiteDamage("\(noun) \(number) is not in \(noun)s") }
            return value
        }
    }

    /// The number of this value; a new one if it has none yet.
    mutating func number(of value: Value, in database: Database) throws -> Int64 {
        if let number = numbers[value] { return number }
        try database.execute(sql: "INSERT INTO \(noun)s (name) VALUES (?)", arguments: [value[keyPath: name]])
        let number = database.lastInsertedRowID
        add(value, number)
        return number
    }

    private mutating func add(_ value: Value, _ number: Int64) {
        numbers[value] = number
        values[number] = value
    }
}
