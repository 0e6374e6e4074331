// SPDX-License-Identifier: Apache-2.0

/// How complete an answer is.
package struct Freshness: Equatable, Sendable {
    /// A partition of which the latest counts may be missing.
    package struct Behind: Equatable, Sendable {
        package var partition: Int
        package var reason: String

        package init(partition: Int, reason: String) {
            self.partition = partition
            self.reason = reason
        }
    }

    /// The minutes before it are final, but for backfill: those of all partitions.
    package var watermark: Minute
    /// Ascending; nobody is behind when it is empty.
    package var behind: [Behind]

    package init(watermark: Minute, behind: [Behind] = []) {
        self.watermark = watermark
        self.behind = behind
    }

    /// - Parameters:
    ///   - logs: all partitions, in their order.
    ///   - views: the furthest of each log; a log that is not there is counted by nobody who could be asked.
    ///   - stored: the store's checkpoints of the logs that are behind.
    ///   - late: how many minutes an event may lie back.
    ///   - missing: why a log has no view.
    package init(
        of logs: [LogID], _ views: [LogID: LogView], stored: [LogID: Checkpoint], late: Int64, missing: String
    ) {
        var watermark: Minute?
        var behind: [Behind] = []
        for (partition, log) in logs.enumerated() {
            let view = views[log]
            if let reason = view == nil ? missing : view?.behind {
                behind.append(Behind(partition: partition, reason: reason))
            }
            // A checkpoint tells the time before what is read again, which is early enough.
            let time = max(view?.time ?? .epoch, stored[log]?.timeBefore ?? .epoch)
            let own = EventWindow.watermark(logTime: time, late: late)
            watermark = min(watermark ?? own, own)
        }
        self.init(watermark: watermark ?? .first, behind: behind)
    }

    /// The logs of which the store's checkpoint is needed.
    package static func logsBehind(_ logs: [LogID], _ views: [LogID: LogView]) -> [LogID] {
        logs.filter { views[$0] == nil || views[$0]?.behind != nil }
    }
}

/// An answer, and how complete it is.
package struct Counted<Value: Sendable>: Sendable {
    package var value: Value
    package var freshness: Freshness

    package init(_ value: Value, _ freshness: Freshness) {
        self.value = value
        self.freshness = freshness
    }
}
