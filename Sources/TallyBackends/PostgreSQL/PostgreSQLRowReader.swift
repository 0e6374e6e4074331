// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import TallyCore

/// Reads rows of a table of counts out of a result, whose columns are banner_id, timestamp, kind, log, counts, up_to.
struct PostgreSQLRowReader {
    private let table: PostgreSQLCountTable
    private let result: PostgreSQLResult
    /// Where these columns are NULL.
    private let banner: BannerID?
    private let kind: Kind?
    private var kinds = PostgreSQLKinds()

    /// - Parameter range: what was asked for; a banner or a kind that was asked for alone may be NULL.
    init(_ result: PostgreSQLResult, of table: PostgreSQLCountTable, in range: RowRange? = nil) {
        self.table = table
        self.result = result
        banner = range?.onlyBanner
        kind = range?.onlyKind
    }

    mutating func row(_ row: Int) throws(PostgreSQLFailure) -> Row {
        let upTo = try result.integer(row, 5)
        guard upTo >= 0 else { throw .damage("\(table.name) has the up_to \(upTo), less than 0") }
        return Row(key: try key(row), counts: try counts(row), upTo: LogOffset(upTo))
    }

    /// - Parameter given: the rows that were to be merged, among them one for each row of the result.
    mutating func conflicts(with given: some Collection<Row>) throws(PostgreSQLFailure) -> RowConflicts {
        var conflicts = RowConflicts()
        if result.rowCount == 0 { return conflicts }
        let given = Dictionary(given.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        for row in 0..<result.rowCount {
            let stored = try self.row(row)
            guard let other = given[stored.key] else { continue }
            if let conflict = RowConflict(stored: stored, given: other) { conflicts.add(conflict) }
        }
        return conflicts
    }

    /// The rows, and the logs that they are of: those without a timestamp have the name and the number of a log.
    mutating func storedRows() throws(PostgreSQLFailure) -> [StoredRow] {
        var logs: [Int64: LogID] = [:]
        for row in (0..<result.rowCount).reversed() where result.isNull(row, 1) {
            logs[try result.integer(row, 3)] = try PostgreSQLLogs.log(named: result.text(row, 2))
        }
        var rows: [StoredRow] = []
        rows.reserveCapacity(result.rowCount)
        // Neighbours are nearly always of the same log.
        var last: (number: Int64, log: LogID)?
        for row in 0..<result.rowCount where !result.isNull(row, 1) {
            let number = try result.integer(row, 3)
            if last?.number != number {
                guard let log = logs[number] else { throw .damage("log \(number) is not in tally_logs") }
                last = (number, log)
            }
            if let last { rows.append(StoredRow(log: last.log, row: try self.row(row))) }
        }
        return rows
    }

    private mutating func key(_ row: Int) throws(PostgreSQLFailure) -> RowKey {
        RowKey(
            banner: try bannerID(row), kind: try kindName(row),
            start: try PostgreSQLTime.minute(try result.integer(row, 1), layout: table.layout))
    }

    private func bannerID(_ row: Int) throws(PostgreSQLFailure) -> BannerID {
        if let banner, result.isNull(row, 0) { return banner }
        return try PostgreSQLCountTable.banner(result, row, 0)
    }

    private mutating func kindName(_ row: Int) throws(PostgreSQLFailure) -> Kind {
        if let kind, result.isNull(row, 2) { return kind }
        return try kinds.kind(result, row, 2)
    }

    private func counts(_ row: Int) throws(PostgreSQLFailure) -> RowCounts {
        guard table.layout == .minute else { return .hour(try PostgreSQLHour.decode(try result.document(row, 4))) }
        let count = try result.integer(row, 4)
        guard count >= 0 else { throw .damage("\(table.name) has the count \(count), less than 0") }
        return .minute(count)
    }
}

/// Kinds that come again and again in the rows of a result, each made once.
private struct PostgreSQLKinds {
    private var last: (bytes: [UInt8], kind: Kind)?

    mutating func kind(_ result: PostgreSQLResult, _ row: Int, _ column: Int) throws(PostgreSQLFailure) -> Kind {
        if let last, result.holds(last.bytes, row, column) { return last.kind }
        let kind = try PostgreSQLCountTable.kind(result, row, column)
        last = (Array(kind.name.utf8), kind)
        return kind
    }
}

extension PostgreSQLCountTable {
    static func banner(_ result: PostgreSQLResult, _ row: Int, _ column: Int) throws(PostgreSQLFailure) -> BannerID {
        let value = try result.integer(row, column)
        guard let banner = BannerID(value) else { throw .damage("banner_id \(value); \(BannerID.allowed)") }
        return banner
    }

    static func kind(_ result: PostgreSQLResult, _ row: Int, _ column: Int) throws(PostgreSQLFailure) -> Kind {
        let name = result.text(row, column)
        guard let kind = Kind(stored: name) else { throw .damage("\"\(name)\" is no kind: \(Kind.allowed)") }
        return kind
    }
}

extension RowRange {
    /// The one that is asked for, when it is one alone.
    var onlyBanner: BannerID? { banners.flatMap { $0.count == 1 ? $0.first : nil } }
    var onlyKind: Kind? { kinds.flatMap { $0.count == 1 ? $0.first : nil } }
}

#endif
