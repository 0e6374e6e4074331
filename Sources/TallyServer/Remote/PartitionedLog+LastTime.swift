// SPDX-License-Identifier: Apache-2.0

package import TallyCore

extension PartitionedLog {
    /// The highest time of the last chunk of any partition; nil where there is none, or it can't be read.
    package func lastTime() async -> Timestamp? {
        await withTaskGroup(of: Timestamp?.self) { group in
            for partition in 0..<partitioning.count { group.addTask { await lastTime(of: log(of: partition)) } }
            return await group.reduce(nil) { latest, time in
                guard let latest, let time else { return latest ?? time }
                return max(latest, time)
            }
        }
    }

    private func lastTime(of log: any EventLog) async -> Timestamp? {
        guard let end = try? await log.end(), end > .none else { return nil }
        return try? await log.read(from: end, maximumBytes: 1).last?.chunk.time
    }
}
