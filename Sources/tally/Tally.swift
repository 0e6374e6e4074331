// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

@main
struct Tally: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tally",
        abstract: "Counts what happens to banners: exactly once, by the minute.",
        discussion: """
            Exit codes: 0 done, 1 failed, 64 wrong usage, 130 interrupted.
            Every flag of serve is also an environment variable (--flush-every is TALLY_FLUSH_EVERY) and a key of the \
            file named by --config; --server and --data are so for all commands.
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, StatsCommand.self, TopCommand.self, ImportCommand.self, ExportCommand.self,
            JournalCommand.self, LogCommand.self, StoreCommand.self, VersionCommand.self,
        ])

    static func main() async {
        // A closed pipe is an error of the write, not the end of the process: the server must survive it.
        signal(SIGPIPE, SIG_IGN)
        let ending = await ending(of: nil)
        let output = OutputFile.standardOutput()
        try? output.write(ending.output)
        try? output.flush()
        for line in ending.errors { StandardError.print(line) }
        Glibc.exit(ending.code)
    }

    /// Runs the command that the arguments name.
    /// - Parameter arguments: nil for those of the process.
    static func ending(of arguments: [String]?) async -> Ending {
        do {
            var command = try await asyncParseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return Ending()
        } catch {
            return Ending(error)
        }
    }
}
