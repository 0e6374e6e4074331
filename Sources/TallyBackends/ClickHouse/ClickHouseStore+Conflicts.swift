// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// A table that only grows compares nothing when it is written. So flushes are read back: of two writers that contradict each
/// other, the later one finds both versions of the row, unless a merge of the table has already removed one of them.
extension ClickHouseStore {
    /// - Parameters:
    ///   - rows: those that were just written.
    ///   - duration: how long that took.
    /// - Returns: no conflict also when reading is not due, or fails: the rows are written, and are read back with later ones.
    func conflicts(after rows: [Row], of log: LogID, writtenIn duration: Duration) async -> RowConflicts {
        guard let extent = readBacks.add(rows, of: log, writtenIn: duration) else { return RowConflicts() }
        let begin = ContinuousClock.now
        do throws(StoreError) {
            let conflicts = try await conflicts(within: extent, of: log, given: rows)
            readBacks.didRead(extent, of: log, in: .now - begin)
            return conflicts
        } catch {
            readBacks.didRead(nil, of: log, in: .now - begin)
            return RowConflicts()
        }
    }

    /// - Parameter rows: those that this process has just written, to tell which of two versions is its own.
    func conflicts(
        within extent: ClickHouseReadBack.Extent, of log: LogID, given rows: [Row]
    ) async throws(StoreError) -> RowConflicts {
        let statements = ClickHouseConflicts(extent, of: log, in: table)
        let answer = try await select(statements.count)
        let count = try decoding { () throws(ClickHouseDamage) in try statements.decodeCount(answer) }
        if count == 0 { return RowConflicts() }
        let versions = try await select(statements.versions)
        return try decoding { () throws(ClickHouseDamage) in try statements.conflicts(versions, given: rows) }
    }
}

/// The statements that find rows of which there are two versions with one `up_to` and different counts.
struct ClickHouseConflicts {
    private let log: LogID
    private let table: ClickHouseCountTable
    private let condition: String

    init(_ extent: ClickHouseReadBack.Extent, of log: LogID, in table: ClickHouseCountTable) {
        self.log = log
        self.table = table
        condition = """
            log = '\(log.name)' AND \(table.timestamp) BETWEEN \(extent.starts.lowerBound) AND \(extent.starts.upperBound)
            AND up_to BETWEEN \(extent.offsets.lowerBound) AND \(extent.offsets.upperBound)
            """
    }

    private var key: String { "banner_id, kind, \(table.timestamp), up_to" }
    /// A number for the counts of a row.
    private var digest: String { "cityHash64(\(table.counts))" }

    /// How many there are. Grouped by a digest of the key, which costs half of what the key does; two keys with one digest
    /// only lead to a closer look.
    var count: ClickHouseStatement {
        .select(
            """
            SELECT count() FROM (SELECT 1 FROM tally_counts WHERE \(condition)
            GROUP BY cityHash64(\(key)) HAVING min(\(digest)) != max(\(digest)))
            """)
    }

    /// Each different version of these rows.
    var versions: ClickHouseStatement {
        .select(
            """
            SELECT DISTINCT \(table.columns) FROM tally_counts WHERE \(condition) AND (\(key)) GLOBAL IN (
                SELECT \(key) FROM tally_counts WHERE \(condition) GROUP BY \(key) HAVING min(\(digest)) != max(\(digest)))
            """)
    }

    func decodeCount(_ answer: ByteBuffer) throws(ClickHouseDamage) -> UInt64 {
        var reader = RowBinaryReader(answer)
        return try reader.read()
    }

    private struct Version: Hashable {
        let key: RowKey
        let upTo: LogOffset
    }

    /// - Parameters:
    ///   - answer: to `versions`.
    ///   - rows: with them, it is known which version was given. Else either of two may have been.
    func conflicts(_ answer: ByteBuffer, given rows: [Row]) throws(ClickHouseDamage) -> RowConflicts {
        var found: [Version: [Row]] = [:]
        for version in try table.decode(answer) {
            found[Version(key: version.row.key, upTo: version.row.upTo), default: []].append(version.row)
        }
        let given = Dictionary(rows.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        var conflicts = RowConflicts()
        for versions in found.values.sorted(by: { ($0[0].key, $0[0].upTo) < ($1[0].key, $1[0].upTo) }) {
            let own =
                given[versions[0].key].flatMap { versions.contains($0) ? $0 : nil } ?? versions[versions.count - 1]
            let conflict = versions.lazy.compactMap { RowConflict(stored: $0, given: own) }.first
            if let conflict { conflicts.add(conflict) }
        }
        return conflicts
    }
}
