// SPDX-License-Identifier: Apache-2.0

import Glibc
import TallyBackends
import TallyCore

extension Wiring {
    /// Tells the settings of the logs of a store, after changing them.
    /// - Parameter log: nil for all of them.
    static func settings(
        at place: DataPlace, of log: LogID?, _ change: SettingsChange
    ) async throws -> MaintenanceReport {
        // A journal's server holds the directory, so that nothing changes under it. Reading needs no such care.
        let directory = change.isEmpty ? nil : try dataDirectory(at: place.directory)
        guard let store = try await existingStore(place.store) else {
            throw CommandFailure.failed("there is no store at \(place.store); --store names another")
        }
        var report = MaintenanceReport(facts: [.init(name: "store", value: "\(place.store)")], problems: [])
        let logs = try await store.logs()
        if let log, !logs.contains(log) { report.problems.append("the store has nothing of the log \(log)") }
        for log in logs.filter({ log == nil || log == $0 }) {
            let checkpoint = try await changed(of: log, change, in: store, copiedTo: directory.map(CheckpointFile.init))
            let text = checkpoint?.settings.map { settings in
                settings.flags.map { "\($0.name) \($0.value)" }.joined(separator: " ")
            }
            report.facts.append(
                .init(name: log.name, value: text ?? "none; the next server that counts the log decides"))
        }
        try await store.close()
        // Held until here.
        withExtendedLifetime(directory) {}
        return report
    }

    /// - Returns: nil where there is none; a server for many machines needs none.
    private static func dataDirectory(at path: String) throws -> DataDirectory? {
        access("\(path)/journal", F_OK) == 0 ? try DataDirectory(existing: path) : nil
    }

    /// - Returns: the checkpoint as it is afterwards.
    private static func changed(
        of log: LogID, _ change: SettingsChange, in store: any Store, copiedTo copy: CheckpointFile?
    ) async throws -> Checkpoint? {
        guard var checkpoint = try await store.checkpoint(of: log), let settings = checkpoint.settings, !change.isEmpty
        else { return try await store.checkpoint(of: log) }
        checkpoint.settings = change.applied(to: settings)
        try await store.save(checkpoint, of: log)
        // The whole checkpoint: with new settings, nothing that the store has may be counted once more.
        if let copy, await copy.read(of: log) != nil { try await copy.write(checkpoint, of: log) }
        return checkpoint
    }
}
