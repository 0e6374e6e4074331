// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TallyCore

struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Work on a store.",
        subcommands: [Check.self, Convert.self, Copy.self, Migrate.self, Settings.self])

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

    struct Copy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy all of a store into another, of any kind and layout; run it again when it was cut off.")

        @Option(help: "The store to read: \(StoreURL.allowed).")
        var from: String
        @Option(help: "The store to write; it is made where there is none.")
        var to: String
        @Option(help: "The layout of a store that is made: minute or hour (default: that of the other store).")
        var layout: String?

        func run() async throws {
            let source = try OptionValue.store("from", from)
            let destination = try OptionValue.store("to", to)
            let layout = try layout.map { text throws(CommandFailure) in
                try OptionValue.word("layout", text, as: Layout.self)
            }
            let state = "what was copied stays; the same command goes on"
            try await MaintenanceRun(label: "copying", stateWhenStopped: state).run { progress in
                try await Wiring.copyStore(from: source, to: destination, layout: layout, progress: progress)
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare two stores, or a store and its journal, minute by minute. Exit code 1 when they differ.")

        @OptionGroup var data: DataOption
        @Option(help: "A store to compare with the one that --to names, instead of a store and its journal.")
        var from: String?
        @Option(help: "The other store.")
        var to: String?

        func run() async throws {
            let stores = try Check.stores(from, to)
            let place = try data.place(environment: ProcessEnvironment.variables)
            try await MaintenanceRun(label: "comparing", stateWhenStopped: "nothing was changed").run { progress in
                if let stores { return try await Wiring.compareStores(stores.0, stores.1, progress: progress) }
                return try await Wiring.compareWithJournal(place, progress: progress)
            }
        }

        private static func stores(_ from: String?, _ to: String?) throws(CommandFailure) -> (StoreURL, StoreURL)? {
            switch (from, to) {
            case (nil, nil): nil
            case (let from?, let to?): (try OptionValue.store("from", from), try OptionValue.store("to", to))
            default: throw .usage(["--from and --to name the two stores to compare: give both or neither"])
            }
        }
    }
}
