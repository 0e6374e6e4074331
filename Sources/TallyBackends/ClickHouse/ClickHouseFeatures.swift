// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What a server can do, asked of itself: nobody has to configure how old it is.
struct ClickHouseFeatures: Equatable, Sendable {
    /// Columns may name how they are compressed, and `LowCardinality` is no experiment any more.
    let hasCodecs: Bool
    /// Of those that tally wants to set, the ones that the server knows: a server refuses others.
    let settings: Set<String>
    /// The same for tables.
    let tableSettings: Set<String>

    /// What every server has from 18.16 on.
    static let oldest = ClickHouseFeatures(hasCodecs: false, settings: [], tableSettings: [])

    private static let wantedSettings = [
        "async_insert", "insert_deduplicate", "insert_distributed_sync", "max_partitions_per_insert_block",
        "do_not_merge_across_partitions_select_final",
    ]

    private static let wantedTableSettings = [
        "fsync_after_insert", "fsync_part_directory", "min_rows_to_fsync_after_merge",
    ]

    /// Such as 26.9.2.1.
    init(version: String, settings: Set<String>, tableSettings: Set<String>) throws(ClickHouseDamage) {
        guard let major = version.split(separator: ".").first.flatMap({ Int($0) }) else {
            throw ClickHouseDamage("\"\(version)\" is no version of ClickHouse")
        }
        self.init(hasCodecs: major >= 20, settings: settings, tableSettings: tableSettings)
    }

    private init(hasCodecs: Bool, settings: Set<String>, tableSettings: Set<String>) {
        self.hasCodecs = hasCodecs
        self.settings = settings
        self.tableSettings = tableSettings
    }

    static func ask(_ client: ClickHouseClient) async throws(StoreError) -> ClickHouseFeatures {
        let sql = """
            SELECT 'version' AS about, version() AS value
            UNION ALL SELECT 'setting', name FROM system.settings WHERE name IN (\(quoted(wantedSettings)))
            UNION ALL SELECT 'table', name FROM system.merge_tree_settings WHERE name IN (\(quoted(wantedTableSettings)))
            """
        var reader = RowBinaryReader(try await client.run(.select(sql)))
        do {
            var answers: [String: Set<String>] = [:]
            while !reader.isAtEnd { answers[try reader.readText(), default: []].insert(try reader.readText()) }
            return try ClickHouseFeatures(
                version: answers["version"]?.first ?? "", settings: answers["setting"] ?? [],
                tableSettings: answers["table"] ?? [])
        } catch {
            throw client.failure(error)
        }
    }

    private static func quoted(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }

    /// For an INSERT: it returns when the rows are there, and a block that came before is not taken for a repetition,
    /// since what was written in between may have changed what it means.
    var insertSettings: [(name: String, value: String)] {
        known([
            ("async_insert", "0"), ("insert_deduplicate", "0"), ("insert_distributed_sync", "1"),
            ("max_partitions_per_insert_block", "0"),
        ])
    }

    /// For a SELECT: a row and its older versions are of the same minute, so they lie in the same partition.
    var selectSettings: [(name: String, value: String)] {
        known([("do_not_merge_across_partitions_select_final", "1")])
    }

    private func known(_ wanted: [(name: String, value: String)]) -> [(name: String, value: String)] {
        wanted.filter { settings.contains($0.name) }
    }
}
