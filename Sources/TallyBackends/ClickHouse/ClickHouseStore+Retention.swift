// SPDX-License-Identifier: Apache-2.0

package import TallyCore

extension ClickHouseStore {
    /// An hour or more of old counts is put together in one statement.
    private static let timeForCollapsing = Duration.seconds(600)

    package func expire(before horizon: Horizon, of log: LogID) async throws(StoreError) {
        let old = try await self.horizon(of: log)
        let new = horizon.merged(with: old)
        if new != old {
            var collapse = ClickHouseExpiry(table: table, log: log).collapse(from: old, to: new)
            let features = try await preparedFeatures()
            // It reads and writes. What both name is said once: a server takes the last of two.
            let reading = features.selectSettings.filter { setting in
                !features.insertSettings.contains { $0.name == setting.name }
            }
            collapse.settings = features.insertSettings + reading
            _ = try await client.run(collapse, within: ClickHouseStore.timeForCollapsing)
            try await insert(
                into: "tally_horizons", ClickHouseHorizons.columns, ClickHouseHorizons.encode(new, of: log))
            knownHorizons.forget()
        }
        try await dropOutdatedPartitions(of: log)
    }

    package func horizon(of log: LogID) async throws(StoreError) -> Horizon {
        try await readHorizons(where: "log = '\(log.name)'")[log] ?? .none
    }

    /// The horizons of all logs that have one.
    func currentHorizons() async throws(StoreError) -> [LogID: Horizon] {
        if let recent = knownHorizons.recent { return recent }
        let all = try await readHorizons(where: "1")
        knownHorizons.remember(all)
        return all
    }

    private func readHorizons(where condition: String) async throws(StoreError) -> [LogID: Horizon] {
        let answer = try await select(ClickHouseHorizons.statement(where: condition))
        return try decoding { () throws(ClickHouseDamage) in try ClickHouseHorizons.decode(answer) }
    }

    /// Those that have been before the horizon for so long that nobody reads them any more.
    private func dropOutdatedPartitions(of log: LogID) async throws(StoreError) {
        let seconds = settling.components.seconds
        let settled = try await readHorizons(
            where: "toUnixTimestamp(now()) - toUnixTimestamp(set_at) >= \(seconds)")
        guard let own = settled[log] else { return }
        let expiry = ClickHouseExpiry(table: table, log: log)
        for (name, end) in [("tally_counts", own.collapsed), ("tally_collapsed", own.dropped)] where end > .first {
            let answer = try await select(expiry.partitions(of: name, before: end))
            let outdated = try decoding { () throws(ClickHouseDamage) in
                try ClickHouseExpiry.outdated(answer) { log in
                    guard let horizon = settled[log] else { return .first }
                    return name == "tally_counts" ? horizon.collapsed : horizon.dropped
                }
            }
            for partition in outdated { try await drop(partition, of: name) }
        }
        try await dropOutdatedSightings(settled)
    }

    func drop(_ partition: Int64, of name: String) async throws(StoreError) {
        let place = client.url.cluster.map { "\(name)_local ON CLUSTER \($0)" } ?? name
        let sql = "ALTER TABLE \(client.url.database).\(place) DROP PARTITION \(partition)"
        _ = try await client.run(.definition(sql), within: ClickHouseStore.timeForDefinitions)
    }
}
