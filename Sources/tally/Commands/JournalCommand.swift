// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TallyCore

struct JournalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Look into the journal of a server that is not running.",
        subcommands: [Verify.self, Repair.self, Dump.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Read all of the journal and say whether it is sound; changes nothing. Exit code 1 when it is not.")

        @OptionGroup var data: DataOption

        func run() async throws {
            let place = try data.place(environment: ProcessEnvironment.variables)
            try await MaintenanceRun(label: "verifying").run { progress in
                try await Wiring.journalMaintenance(place).verify(progress: progress)
            }
        }
    }

    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a damaged journal readable again; what can't be saved is set aside and named.")

        @OptionGroup var data: DataOption
        @Option(help: "Whose journal it is: 32 hexadecimal digits (default: as its headers say, or else the store).")
        var identity: String?

        func run() async throws {
            let place = try data.place(environment: ProcessEnvironment.variables)
            let identity = try identity.map(Repair.identity)
            try await MaintenanceRun(label: "repairing", stateWhenStopped: "nothing was changed").run { progress in
                try await Wiring.journalMaintenance(place).repair(identity: identity, progress: progress)
            }
        }

        static func identity(_ text: String) throws(CommandFailure) -> NodeID {
            guard let identity = NodeID(hex: text) else {
                throw OptionValue.wrong("identity", text, "allowed: 32 hexadecimal digits")
            }
            return identity
        }
    }

    struct Dump: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the chunks of the journal, a line each.")

        @OptionGroup var data: DataOption
        @Option(help: "The offset to begin at (default: the first in the journal).")
        var from: String?

        func run() async throws {
            let place = try data.place(environment: ProcessEnvironment.variables)
            let offset = try from.map(Dump.offset) ?? LogOffset.none
            try await Interruption.stopping {
                let output = OutputFile.standardOutput()
                try await Wiring.journalMaintenance(place).dump(from: offset) { line in
                    try Task.checkCancellation()
                    try output.write(line + "\n")
                }
                try output.finish()
            }
        }

        static func offset(_ text: String) throws(CommandFailure) -> LogOffset {
            guard let value = Int64(text), value >= 0 else {
                throw OptionValue.wrong("from", text, "allowed: a number from 0")
            }
            return LogOffset(value)
        }
    }
}
