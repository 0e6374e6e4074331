// SPDX-License-Identifier: Apache-2.0

/// A log that wakes its readers, so that they need not ask again and again.
package protocol WaitingLog: EventLog {
    /// Returns when there may be something to read from `offset` on, or the log can't tell; at the latest after `limit`.
    func wait(for offset: LogOffset, within limit: Duration) async
}
