// SPDX-License-Identifier: Apache-2.0

/// The one place that chooses backends.
enum Wiring {
    static func serve(_ configuration: ServerConfiguration) async throws {
        throw CommandFailure.failed("the server is not in this build")
    }

    /// The tools for the journal of a data directory that no server is using.
    static func journalMaintenance(data: String) throws -> any JournalMaintenance {
        throw CommandFailure.failed("the journal is not in this build")
    }

    /// The tools for the store of a data directory that no server is using.
    static func storeMaintenance(data: String) throws -> any StoreMaintenance {
        throw CommandFailure.failed("the store is not in this build")
    }
}
