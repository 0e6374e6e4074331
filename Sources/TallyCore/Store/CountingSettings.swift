// SPDX-License-Identifier: Apache-2.0

/// The settings that decide what a log's sums are. Servers that count the same log with other settings get other sums of the same chunks.
package struct CountingSettings: Equatable, Sendable {
    /// How long an event id is known, in milliseconds of log time; at least 0.
    package var windowMilliseconds: Int64
    /// How many event ids are known at most; at least 0.
    package var windowLimit: Int
    /// How many minutes behind the log's time an event may lie; at least 0.
    package var lateMinutes: Int64

    package init(windowMilliseconds: Int64, windowLimit: Int, lateMinutes: Int64) {
        precondition(windowMilliseconds >= 0 && windowLimit >= 0 && lateMinutes >= 0, "settings are never negative")
        self.windowMilliseconds = windowMilliseconds
        self.windowLimit = windowLimit
        self.lateMinutes = lateMinutes
    }
}
