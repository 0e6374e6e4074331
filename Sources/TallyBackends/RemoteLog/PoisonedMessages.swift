// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// Counts the messages of a remote log that were passed over since they are no chunks to be counted there, and names each.
package final class PoisonedMessages: Sendable {
    private let noted = Atomic<Int>(0)
    private let report: @Sendable (String) -> Void

    /// - Parameter report: is told which message, and why.
    package init(report: @escaping @Sendable (String) -> Void = { _ in }) { self.report = report }

    package var count: Int { noted.load(ordering: .relaxed) }

    func note(_ reason: String, at offset: LogOffset, of log: LogID) {
        noted.add(1, ordering: .relaxed)
        report("passed over the message at offset \(offset) of \(log): \(reason)")
    }
}
