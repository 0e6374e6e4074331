// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TallyCore

struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Look into a log: the journal of a server that is not running, a Kafka topic, streams of JetStream.",
        subcommands: [Verify.self, Dump.self, Lag.self, Confirm.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read all of the log and say what it holds; changes nothing. Exit code 1 when it is not sound.")

        @OptionGroup var option: LogOption

        func run() async throws {
            let place = try option.place(environment: ProcessEnvironment.variables)
            try await MaintenanceRun(label: "verifying").run { progress in
                try await LogCommand.withTools(place) { try await $0.verify(progress: progress) }
            }
        }
    }

    struct Dump: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the chunks of the log, a line each.")

        @OptionGroup var option: LogOption
        @Option(help: "The partition, counted from 0 (default: all, one after the other).")
        var partition: String?
        @Option(help: "The offset to begin at (default: the first in the log).")
        var from: String?

        func run() async throws {
            let place = try option.place(environment: ProcessEnvironment.variables)
            let offset = try from.map(JournalCommand.Dump.offset) ?? LogOffset.none
            let partition = try partition.map(Dump.partition)
            try await Interruption.stopping {
                let output = OutputFile.standardOutput()
                try await LogCommand.withTools(place) { tools in
                    try await tools.dump(partition: partition, from: offset) { line in
                        try Task.checkCancellation()
                        try output.write(line + "\n")
                    }
                }
                try output.finish()
            }
        }

        static func partition(_ text: String) throws(CommandFailure) -> Int {
            guard let number = Int(text), (0..<Limits.partitions).contains(number) else {
                throw OptionValue.wrong("partition", text, "allowed: a number from 0")
            }
            return number
        }
    }

    struct Lag: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say how far the store is behind each partition of the log, in offsets.")

        @OptionGroup var option: LogOption

        func run() async throws {
            let place = try option.place(environment: ProcessEnvironment.variables)
            try await MaintenanceRun(label: "asking").run { _ in
                try await LogCommand.withTools(place) { try await $0.lag() }
            }
        }
    }

    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the chunks that the log lacks though it should have them, or confirm that they are lost.",
            discussion: """
                Without chunks it lists what is missing, and changes nothing. With chunks it writes into the store that they are lost, so that \
                counts of the log are stored again: the events in them are gone. The servers of a remote log may run; that of a journal may not.
                """)

        @OptionGroup var option: LogOption
        @Option(help: "The partition, counted from 0 (default: all).")
        var partition: String?
        @Argument(help: "The chunks that are lost, as they are listed: \(LostChunks.allowed).")
        var chunks: [String] = []

        func run() async throws {
            let place = try option.place(environment: ProcessEnvironment.variables)
            let lost = try LostChunks(arguments: chunks)
            let partition = try partition.map(Dump.partition)
            try await MaintenanceRun(label: "reading").run { progress in
                try await LogCommand.withTools(place) {
                    try await $0.confirm(lost, partition: partition, progress: progress)
                }
            }
        }
    }

    private static func withTools<Value>(
        _ place: LogPlace, _ use: (any LogMaintenance) async throws -> Value
    ) async throws -> Value {
        do {
            let tools = try await Wiring.logMaintenance(place)
            do {
                let value = try await use(tools)
                await tools.close()
                return value
            } catch {
                await tools.close()
                throw error
            }
        } catch let error as LogError {
            throw CommandFailure.failed(error.description)
        }
    }
}
