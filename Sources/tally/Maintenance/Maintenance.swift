// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What a tool found or did.
struct MaintenanceReport: Equatable, Sendable {
    struct Fact: Equatable, Sendable {
        let name: String
        let value: String
    }

    /// Shown as a table, in this order.
    var facts: [Fact]
    /// What is not as it should be; each a sentence with the file, the offset and what to do.
    var problems: [String]
}

/// The tools for a journal that no server is using.
///
/// `progress` is called often, and throws `CancellationError` when someone wants the work to stop; a tool calls it only
/// where stopping leaves all as it was, or whole.
protocol JournalMaintenance: Sendable {
    /// Reads everything and changes nothing.
    func verify(progress: (WorkProgress) throws -> Void) async throws -> MaintenanceReport
    /// Makes the journal readable again; what can't be saved is set aside and named.
    /// - Parameter identity: the journal's, where someone knows it. Else its headers say it, or the store does.
    func repair(identity: NodeID?, progress: (WorkProgress) throws -> Void) async throws -> MaintenanceReport
    /// What the journal lacks though its server has written it; with `lost`, confirms that it is lost.
    func confirm(_ lost: LostChunks) async throws -> MaintenanceReport
    /// Calls `line` with a description of each chunk from an offset on.
    func dump(from offset: LogOffset, line: (String) throws -> Void) async throws
}

/// The tools for any log.
protocol LogMaintenance: Sendable {
    /// Reads everything and changes nothing.
    func verify(progress: (WorkProgress) throws -> Void) async throws -> MaintenanceReport
    /// Calls `line` with a description of each chunk from an offset on.
    /// - Parameter partition: nil for all of them.
    func dump(partition: Int?, from offset: LogOffset, line: (String) throws -> Void) async throws
    /// What the log lacks though its servers have written it; with `lost`, confirms that it is lost, in the store's checkpoint.
    /// - Parameter partition: nil for all of them.
    func confirm(
        _ lost: LostChunks, partition: Int?, progress: (WorkProgress) throws -> Void
    ) async throws -> MaintenanceReport
    /// How far the store is behind.
    func lag() async throws -> MaintenanceReport
    func close() async
}

/// The tools for a store that no server is using.
protocol StoreMaintenance {
    /// Rewrites all rows in another layout; the counts stay the same.
    func convert(to layout: Layout, progress: (WorkProgress) throws -> Void) async throws -> MaintenanceReport
}
