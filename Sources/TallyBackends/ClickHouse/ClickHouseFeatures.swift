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
    /// Of a shard, those that a statement has to be true on; nil where there is one replica alone.
    let quorum: Quorum?

    /// Most replicas of a shard, so that any two majorities have one in common, and how long they may take.
    struct Quorum: Equatable, Sendable {
        let replicas: Int
        let patience: Duration

        /// - Returns: nil for a single one.
        init?(of replicas: Int, patience: Duration) {
            guard replicas > 1 else { return nil }
            self.replicas = replicas / 2 + 1
            self.patience = patience
        }
    }

    /// What every server has from 18.16 on.
    static let oldest = ClickHouseFeatures(hasCodecs: false, settings: [], tableSettings: [])

    private static let wantedSettings = [
        "async_insert", "insert_deduplicate", "insert_distributed_sync", "max_partitions_per_insert_block",
        "do_not_merge_across_partitions_select_final", "insert_quorum", "insert_quorum_timeout",
        "insert_quorum_parallel", "select_sequential_consistency", "load_balancing",
    ]

    private static let wantedTableSettings = [
        "fsync_after_insert", "fsync_part_directory", "min_rows_to_fsync_after_merge",
    ]

    /// Such as 26.9.2.1.
    init(
        version: String, settings: Set<String>, tableSettings: Set<String>, quorum: Quorum? = nil
    ) throws(ClickHouseDamage) {
        guard let major = version.split(separator: ".").first.flatMap({ Int($0) }) else {
            throw ClickHouseDamage("\"\(version)\" is no version of ClickHouse")
        }
        self.init(hasCodecs: major >= 20, settings: settings, tableSettings: tableSettings, quorum: quorum)
    }

    private init(hasCodecs: Bool, settings: Set<String>, tableSettings: Set<String>, quorum: Quorum? = nil) {
        self.hasCodecs = hasCodecs
        self.settings = settings
        self.tableSettings = tableSettings
        self.quorum = quorum
    }

    /// - Parameter patience: how long replicas may take for one statement.
    static func ask(_ client: ClickHouseClient, patience: Duration) async throws(StoreError) -> ClickHouseFeatures {
        let cluster = client.url.cluster ?? ""
        let sql = """
            SELECT 'version' AS about, version() AS value
            UNION ALL SELECT 'setting', name FROM system.settings WHERE name IN (\(quoted(wantedSettings)))
            UNION ALL SELECT 'table', name FROM system.merge_tree_settings WHERE name IN (\(quoted(wantedTableSettings)))
            UNION ALL SELECT 'replicas', toString(max(replicas)) FROM (
                SELECT count() AS replicas FROM system.clusters WHERE cluster = '\(cluster)' GROUP BY shard_num)
            """
        var reader = RowBinaryReader(try await client.run(.select(sql)))
        do {
            var answers: [String: Set<String>] = [:]
            while !reader.isAtEnd { answers[try reader.readText(), default: []].insert(try reader.readText()) }
            return try ClickHouseFeatures(
                version: answers["version"]?.first ?? "", settings: answers["setting"] ?? [],
                tableSettings: answers["table"] ?? [],
                quorum: Quorum(of: answers["replicas"]?.first.flatMap { Int($0) } ?? 1, patience: patience))
        } catch {
            throw client.failure(error)
        }
    }

    private static func quoted(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }

    /// For an INSERT: it returns when the rows are there, and a block that came before is not taken for a repetition,
    /// since what was written in between may have changed what it means. Where there are replicas, most of them have it: it is
    /// not lost with one of them.
    var insertSettings: [(name: String, value: String)] {
        known(
            [
                ("async_insert", "0"), ("insert_deduplicate", "0"), ("insert_distributed_sync", "1"),
                ("max_partitions_per_insert_block", "0"),
            ] + insertQuorum)
    }

    private var insertQuorum: [(name: String, value: String)] {
        guard let quorum else { return [] }
        // One block after the other: only then a replica knows whether it has all that most have.
        return [
            ("insert_quorum", "\(quorum.replicas)"), ("insert_quorum_parallel", "0"),
            ("insert_quorum_timeout", "\(Int(quorum.patience / .milliseconds(1)))"), ("load_balancing", "in_order"),
        ]
    }

    /// For a SELECT: a row and its older versions are of the same minute, so they lie in the same partition. A replica that
    /// doesn't have all that most have refuses to answer; the first of each shard is asked, which is also written to first.
    var selectSettings: [(name: String, value: String)] {
        let sequential = [("select_sequential_consistency", "1"), ("load_balancing", "in_order")]
        return known(
            [("do_not_merge_across_partitions_select_final", "1")] + (quorum == nil ? [] : sequential))
    }

    private func known(_ wanted: [(name: String, value: String)]) -> [(name: String, value: String)] {
        wanted.filter { settings.contains($0.name) }
    }
}
