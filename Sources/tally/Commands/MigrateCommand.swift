// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TallyCore

extension StoreCommand {
    struct Migrate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the tables of a store, or bring them up to this version; serve does the same by itself.",
            discussion: """
                With --print the SQL is printed instead, for an administrator: the role that serve uses then needs no right to make \
                tables.
                """)

        @Option(ServerSettings.store) var store: String?
        @Option(ServerSettings.layout) var layout: String?
        @Option(SharedSettings.data) var data: String?
        @OptionGroup var file: ConfigOption
        @Flag(help: "Print the SQL that makes the tables, and change nothing.")
        var print = false

        func run() async throws {
            var flags: [String: String] = [:]
            flags[ServerSettings.store.name] = store
            flags[ServerSettings.layout.name] = layout
            flags[SharedSettings.data.name] = data
            var reader = try file.reader(flags: flags, environment: ProcessEnvironment.variables)
            let url = reader.value(of: ServerSettings.store)
            let layout = reader.value(of: ServerSettings.layout)
            try reader.throwProblems()
            guard print else {
                return try await MaintenanceRun(label: "migrating").run { _ in
                    try await Wiring.migrate(url, layout: layout)
                }
            }
            let output = OutputFile.standardOutput()
            try output.write(try await Wiring.migrations(url, layout: layout))
            try output.finish()
        }
    }
}
