// SPDX-License-Identifier: Apache-2.0

/// What a process does. With a journal it does all of it; with a remote log each may be a process of its own, and many of them.
package enum ServerRole: String, CaseIterable, Sendable {
    /// Lets events in, and makes them durable in the log.
    case ingest
    /// Counts partitions of the log, and stores the counts.
    case aggregate
    /// Answers what was counted.
    case query
}

extension Set<ServerRole> {
    /// All of them.
    package static var all: Set<ServerRole> { Set(ServerRole.allCases) }

    /// In the order of an event's way.
    package var text: String { ServerRole.allCases.filter(contains).map(\.rawValue).joined(separator: ",") }
}

/// A request that needs a role which this process doesn't have.
struct RoleMissing: Error {
    let role: ServerRole
    let roles: Set<ServerRole>
}
