// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore

extension Wiring {
    /// Connects to a log on servers of its own.
    /// - Parameter makes: whether a log that is not there is made.
    /// - Returns: nil for the journal, which is none.
    static func openRemoteLogs(_ url: LogURL, makes: Bool, poisoned: PoisonedMessages) async throws -> (
        any PartitionedLog
    )? {
        switch url {
        case .journal: return nil
        case .kafka(let kafka):
            #if Kafka
            return try await KafkaLogs.open(kafka, makes: makes, poisoned: poisoned)
            #else
            throw missing("Kafka", "librdkafka-dev", for: "\(kafka)")
            #endif
        case .jetStream(let jetStream):
            #if JetStream
            return try await JetStreamLogs.open(jetStream, makes: makes, poisoned: poisoned)
            #else
            throw missing("JetStream", "libnats-dev", for: "\(jetStream)")
            #endif
        }
    }

    /// How to get what was left out of this build.
    static func missing(_ trait: String, _ package: String, for url: String) -> CommandFailure {
        .failed(
            "\(url): this tally was built without \(trait). Install \(package), and build it with: "
                + "swift build --configuration release --product tally --traits \(trait)")
    }

    /// The tools for a log. A journal's need a server that is not running; the others work beside one.
    static func logMaintenance(_ place: LogPlace) async throws -> any LogMaintenance {
        let files = place.files
        let poisoned = PoisonedMessages { StandardError.print("tally: \($0)") }
        guard let logs = try await openRemoteLogs(place.log, makes: false, poisoned: poisoned) else {
            return JournalAsLog(
                journal: try journalMaintenance(files), path: "\(files.directory)/journal",
                place: JournalPlace(dataDirectory: files.directory), store: files.store)
        }
        return RemoteLogTools(logs: logs, name: "\(place.log)", needs: place.needs) {
            try await Wiring.existingStore(files.store)
        }
    }
}

/// The journal's own tools, and how far the store is behind.
private struct JournalAsLog: LogMaintenance {
    let journal: any JournalMaintenance
    let path: String
    let place: JournalPlace
    let store: StoreURL

    func verify(progress: (WorkProgress) throws -> Void) async throws -> MaintenanceReport {
        try await journal.verify(progress: progress)
    }

    func confirm(
        _ lost: LostChunks, partition: Int?, progress: (WorkProgress) throws -> Void
    ) async throws -> MaintenanceReport {
        try check(partition)
        return try await journal.confirm(lost)
    }

    private func check(_ partition: Int?) throws(CommandFailure) {
        guard partition == nil || partition == 0 else {
            throw .usage(["--partition: the journal has one partition, 0"])
        }
    }

    func dump(partition: Int?, from offset: LogOffset, line: (String) throws -> Void) async throws {
        try check(partition)
        try await journal.dump(from: offset, line: line)
    }

    func lag() async throws -> MaintenanceReport {
        let report = try JournalVerification.run(on: RealDisk(path: path), place: place)
        guard let identity = report.identity else {
            return MaintenanceReport(facts: [.init(name: "journal", value: "empty")], problems: [])
        }
        let log = LogID(journal: identity)
        guard let store = try await Wiring.existingStore(store) else {
            throw CommandFailure.failed("there is no store at \(store); --store names it")
        }
        let stored = try await store.checkpoint(of: log)?.upTo ?? .none
        try await store.close()
        return LogLag([.init(name: "\(log)", end: report.last ?? .none, stored: stored)]).report
    }

    func close() async {}
}
