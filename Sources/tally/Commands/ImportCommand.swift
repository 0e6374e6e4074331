// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TallyCore

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Count the events of a file, once however often it is imported.",
        discussion: """
            Formats: log (access logs, common or combined), ndjson (as POST /v1/events takes it; ts is required), csv and \
            tsv (with a header: banner or name, ts or minute; kind, n or count, and id if there are). Any of them may be \
            gzip. Standard input is first copied to a temporary file.

            An import is known by what the file holds and by the options that change its meaning. Importing it again \
            counts nothing twice and goes on where it was interrupted. A file that has grown is another import: import \
            logs that are finished. A gzip file that is cut off or damaged is not imported at all.

            Lines that can't be read are counted and the first few are shown; the rest of the file is imported. The exit \
            code is 1 when the file holds no event at all.

            Example: tally import access.log.gz --register --match '"\\S+ (\\S+)'
            """)

    @Argument(help: "The file, or - for standard input.")
    var path = "-"
    @OptionGroup var server: ServerOption
    @Option(help: "For logs: a regular expression with one group, searched in each line; the group is the banner.")
    var match: String?
    @Flag(help: "Names become banners: the group of --match, or the column “name”, is any text.")
    var register = false
    @Option(help: "The kind of the events that don't say theirs.")
    var kind: String = "click"
    @Option(help: "log, ndjson, csv, tsv, or auto: by the first line.")
    var format: String = "auto"

    func run() async throws {
        let environment = ProcessEnvironment.variables
        let kind = try OptionValue.kind(kind)
        let format = format == "auto" ? nil : try formatChoice()
        // What is wrong with the options is told before a large file is read.
        if let match { _ = try LineMatcher(match) }
        if let format { _ = try options(format, kind).makeReader() }
        let url = try server.url(environment: environment)
        try await Interruption.stopping { try await importFile(url, format, kind, environment) }
    }

    private func formatChoice() throws(CommandFailure) -> ImportFormat {
        guard let choice = ImportFormat(rawValue: format) else {
            throw OptionValue.wrong("format", format, "allowed: auto, log, ndjson, csv, tsv")
        }
        return choice
    }

    private func options(_ format: ImportFormat, _ kind: Kind) -> ImportOptions {
        ImportOptions(format: format, match: match, registers: register, kind: kind)
    }

    private func importFile(
        _ url: ServerURL, _ format: ImportFormat?, _ kind: Kind, _ environment: [String: String]
    ) async throws {
        let terminal = Terminal.standardError(environment: environment)
        let reading = ProgressReporter(label: "reading", terminal: terminal)
        defer { reading.clear() }
        let source = try ImportSource(file: try openFile(reading, environment), progress: reading.update)
        reading.clear()
        if source.contentBytes == 0 { throw CommandFailure.failed("\(source.file.name): it is empty") }
        let options = options(format ?? source.detectedFormat, kind)
        let sending = ProgressReporter(label: "importing", terminal: terminal)
        defer { sending.clear() }
        let summary = try await TallyClient.with(
            url, retries: .patient, note: { StandardError.print($0, over: terminal) },
            body: { client in
                var run = ImportRun(client: client, node: source.fingerprint.node(options))
                return try await run.run(source, options, progress: sending.update)
            })
        for line in summary.report { sending.note("tally: \(line)") }
        if summary.isEmpty {
            throw CommandFailure.failed("\(source.file.name): nothing in it is an event, so nothing was counted")
        }
    }

    /// A file that can be read twice.
    private func openFile(_ progress: ProgressReporter, _ environment: [String: String]) throws -> InputFile {
        let input =
            path == "-" ? InputFile(descriptor: dup(STDIN_FILENO), name: "standard input") : try InputFile(path: path)
        if path != "-", try input.isRegular() { return input }
        if path == "-", isatty(STDIN_FILENO) == 1 {
            StandardError.print("tally: reading what is typed here; Ctrl-D ends it")
        }
        let directory = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        return try SpoolFile.copy(of: input, in: directory) { copied in
            try progress.update(WorkProgress(done: copied, total: nil))
        }
    }
}
