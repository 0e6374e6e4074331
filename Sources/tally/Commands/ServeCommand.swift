// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the server.",
        discussion: """
            Each setting is taken from the first that has it: its flag, its environment variable (--flush-every is \
            TALLY_FLUSH_EVERY), the file of --config (a JSON object, {"flush-every": "60s"}), its default.

            In these values \(DurationText.allowed); \(SizeText.allowed).
            """)

    @OptionGroup var flags: ServerFlags
    @OptionGroup var file: ConfigOption
    @Flag(help: "Print every setting, its value and where it comes from, and end.")
    var printConfig = false

    func run() async throws {
        var reader = try file.reader(flags: flags.values, environment: ProcessEnvironment.variables)
        for warning in reader.warnings { StandardError.print("tally: warning: \(warning)") }
        let configuration = try ServerConfiguration(&reader)
        guard printConfig else {
            // A terminal that is closed sends it, and so do scripts for daemons that read their settings again.
            signal(SIGHUP, SIG_IGN)
            OpenFiles.raiseLimit()
            await OpenFiles.openTimers()
            return try await Wiring.serve(configuration)
        }
        let output = OutputFile.standardOutput()
        try output.write(ConfigurationReport.text(reader))
        try output.finish()
    }
}
