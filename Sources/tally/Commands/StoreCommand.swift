// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TallyCore

struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Work on a store.",
        subcommands: [Convert.self, Migrate.self])

    struct Convert: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Rewrite the SQLite store of a server that is not running in another layout; the counts stay the same.")

        @OptionGroup var data: DataOption
        @Option(help: "The new layout: minute or hour.")
        var to: String

        func run() async throws {
            let place = try data.place(environment: ProcessEnvironment.variables)
            let layout = try OptionValue.word("to", to, as: Layout.self)
            try await MaintenanceRun(label: "converting", stateWhenStopped: "the store is as it was").run { progress in
                try await Wiring.storeMaintenance(place).convert(to: layout, progress: progress)
            }
        }
    }
}
