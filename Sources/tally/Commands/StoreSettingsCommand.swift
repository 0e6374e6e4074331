// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TallyCore

extension StoreCommand {
    struct Settings: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the settings that the sums of each log depend on, or change them.",
            discussion: """
                A store keeps the settings that a log was counted with, and a server with other settings does not start. To change \
                them, stop every server that counts the log with SIGTERM, so that it flushes what it has counted; run this command \
                with the new settings; and start the servers with the same ones. What is counted already stays as it is.

                Where --data names the directory of a journal, the copy of the checkpoint beside it is changed too.
                """)

        @OptionGroup var data: DataOption
        @Option(help: "The log to change (default: every log of the store).")
        var log: String?
        @Option(help: "The new value of the servers' --dedup-window.")
        var dedupWindow: String?
        @Option(help: "The new value of the servers' --dedup-limit.")
        var dedupLimit: String?
        @Option(help: "The new value of the servers' --accept-late.")
        var acceptLate: String?

        func run() async throws {
            let place = try data.place(environment: ProcessEnvironment.variables)
            let log = try log.map(Settings.log)
            let change = try SettingsChange(dedupWindow: dedupWindow, dedupLimit: dedupLimit, acceptLate: acceptLate)
            try await MaintenanceRun(label: "settings", stateWhenStopped: "the same command goes on").run { _ in
                try await Wiring.settings(at: place, of: log, change)
            }
        }

        private static func log(_ text: String) throws(CommandFailure) -> LogID {
            guard let log = LogID(text) else { throw OptionValue.wrong("log", text, "it is the name of a log") }
            return log
        }
    }
}
