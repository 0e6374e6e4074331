// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TallyCore

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write counts by the minute as CSV, TSV or NDJSON.",
        discussion: """
            Rows are sorted by minute, then by the bytes of the other columns in the order given. Without the column \
            banner, name or kind, rows that look alike are one row with their sum. In TSV a tab, an end of line and a \
            backslash within a name are written \\t, \\n, \\r and \\\\. In CSV an apostrophe stands before a cell that a \
            spreadsheet would take for a formula: one that begins with =, +, -, @, a tab or an end of line. tally import \
            removes it.

            Example: tally export --format tsv --columns minute,name=path,count
            """)

    @OptionGroup var server: ServerOption
    @Option(help: "The first minute, as 2015-05-17T10:05:00Z or 2015-05-17 (default: the first that was counted).")
    var from: String?
    @Option(help: "The end, not included (default: behind the last minute that was counted).")
    var to: String?
    @Option(help: "Only this kind; may be repeated (default: all).")
    var kind: [String] = []
    @Option(help: "Only this banner, by id or name; may be repeated (default: all).")
    var banner: [String] = []
    @OptionGroup var traffic: TrafficOption
    @Option(help: "csv, tsv or ndjson.")
    var format: String = "csv"
    @Option(help: "\(ExportColumn.allowed) (default: minute,banner,name,kind,count).")
    var columns: String?
    @Flag(help: "Leave out the row with the names of the columns.")
    var noHeader = false
    @Flag(help: "CSV: write cells that begin like formulas as they are, for programs that are no spreadsheets.")
    var raw = false
    @Option(help: "A file, which appears when it is whole (default: standard output).", completion: .file())
    var output: String?

    func run() async throws {
        let url = try server.url(environment: ProcessEnvironment.variables)
        let writer = ExportWriter(
            format: try OptionValue.word("format", format, as: ExportFormat.self),
            columns: try columns.map(ExportColumn.list) ?? ExportColumn.standard, isRaw: raw)
        let kinds = try kind.map(OptionValue.kind)
        let traffic = try traffic.query()
        let limits = (
            from: try from.map { text throws(CommandFailure) in try OptionValue.time("from", text) },
            to: try to.map { text throws(CommandFailure) in try OptionValue.time("to", text) }
        )
        try await Interruption.stopping {
            let file = try output.map(OutputFile.create) ?? .standardOutput()
            try await TallyClient.with(url, retries: .patient) { client in
                let request = ExportRequest(
                    range: try await range(limits.from, limits.to, client), kinds: kinds,
                    banners: try await banners(client), writer: writer, hasHeader: !noHeader,
                    traffic: traffic)
                try await ExportRun(client: client, request: request).run(output: file.write)
            }
            try file.finish()
        }
    }

    private func banners(_ client: TallyClient) async throws -> [BannerID] {
        var banners: [BannerID] = []
        for text in banner { banners.append(try await client.banner(text)) }
        return banners
    }

    /// All that was counted, where `from` and `to` don't say otherwise; empty when nothing was.
    private func range(_ from: Timestamp?, _ to: Timestamp?, _ client: TallyClient) async throws -> Range<Minute> {
        if let from, let to { return try TimeRange.minutes(from: from, to: to) }
        let totals = try await client.totals()
        guard let first = totals.first.flatMap({ try? WrittenTime($0).timestamp }),
            let last = totals.last.flatMap({ try? WrittenTime($0).timestamp })
        else { return Minute.first..<Minute.first }
        let start = from ?? first
        let end = to ?? last.advanced(by: .seconds(60))
        return start < end ? try TimeRange.minutes(from: start, to: end) : Minute.first..<Minute.first
    }
}
