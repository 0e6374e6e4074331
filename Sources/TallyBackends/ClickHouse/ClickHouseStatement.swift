// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore

/// One statement and what goes to the server with it.
struct ClickHouseStatement: Sendable {
    /// A table that lives as long as the statement: lists that are too long for its text.
    struct TemporaryTable: Sendable {
        let name: String
        /// Such as `banner_id Int64`.
        let structure: String
        /// In the format `RowBinary`.
        let rows: ByteBuffer
    }

    /// Without a format: answers come in `RowBinary`.
    var sql: String
    /// The rows of an INSERT.
    var rows: ByteBuffer?
    /// Such statements have to be short: their text goes into the URL.
    var tables: [TemporaryTable] = []
    /// In the order in which they are sent.
    var settings: [(name: String, value: String)] = []

    static func select(_ sql: String, with tables: [TemporaryTable] = []) -> ClickHouseStatement {
        ClickHouseStatement(sql: sql + " FORMAT RowBinary", tables: tables)
    }

    static func insert(into table: String, columns: String, rows: ByteBuffer) -> ClickHouseStatement {
        ClickHouseStatement(sql: "INSERT INTO \(table) (\(columns)) FORMAT RowBinary", rows: rows)
    }

    static func definition(_ sql: String) -> ClickHouseStatement { ClickHouseStatement(sql: sql) }
}

/// How a statement travels over HTTP.
extension ClickHouseStatement {
    /// No byte string that `RowBinary` or SQL of tally could hold, since it has none of a random 128 bits.
    private static let boundary = "tally-\(UUID().uuidString)"

    /// The parameters of the URL beside the database.
    var parameters: [(name: String, value: String)] {
        // The server holds the answer back until it is whole, so that a failure half-way has its own status.
        var parameters = [(name: "wait_end_of_query", value: "1")]
        if rows != nil || !tables.isEmpty { parameters.append((name: "query", value: sql)) }
        for table in tables {
            parameters.append((name: "\(table.name)_structure", value: table.structure))
            parameters.append((name: "\(table.name)_format", value: "RowBinary"))
        }
        return parameters + settings
    }

    var contentType: String {
        if !tables.isEmpty { return "multipart/form-data; boundary=\(ClickHouseStatement.boundary)" }
        return rows == nil ? "text/plain; charset=UTF-8" : "application/octet-stream"
    }

    var body: ByteBuffer {
        if let rows { return rows }
        if tables.isEmpty { return ByteBuffer(string: sql) }
        var body = ByteBuffer()
        for table in tables {
            body.writeString(
                "--\(ClickHouseStatement.boundary)\r\n"
                    + "Content-Disposition: form-data; name=\"\(table.name)\"; filename=\"\(table.name)\"\r\n"
                    + "Content-Type: application/octet-stream\r\n\r\n")
            body.writeImmutableBuffer(table.rows)
            body.writeString("\r\n")
        }
        body.writeString("--\(ClickHouseStatement.boundary)--\r\n")
        return body
    }
}
