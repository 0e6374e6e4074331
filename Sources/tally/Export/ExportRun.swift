// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TallyCore

/// What to export.
struct ExportRequest: Sendable {
    /// Without its last minute.
    var range: Range<Minute>
    var kinds: [Kind]
    /// Empty for all.
    var banners: [BannerID]
    var writer: ExportWriter
    var hasHeader: Bool
    /// As the server is asked for it.
    var traffic: [(name: String, value: String)] = []

    func query(_ window: Range<Minute>, of banners: [BannerID]) -> [(name: String, value: String)] {
        var query = [
            ("from", window.lowerBound.text()), ("to", window.upperBound.text()), ("step", "1m"),
            ("format", "ndjson"),
        ]
        query += kinds.map { ("kind", $0.name) } + banners.map { ("banner", "\($0)") }
        return query + traffic
    }
}

/// Reads the counts window by window, and writes each sorted: memory holds one window, and the names of the banners. A window
/// with more rows than the server answers at once is halved, and a single minute is read some banners at a time.
struct ExportRun {
    /// How many rows are sorted in memory. A minute in which more happened is held whole all the same.
    static let rows = 500_000

    let client: TallyClient
    let request: ExportRequest
    var longestWindowRows = ExportRun.rows

    /// So many banners of one minute are asked for at a time.
    private static let bannersAtOnce = 500

    private struct TooManyRows: Error {}

    func run(output: (String) throws -> Void) async throws {
        let columns = request.writer.columns
        let names = columns.contains { $0.source == .name } ? try await bannerNames() : [:]
        if request.hasHeader, let header = request.writer.header { try output(header) }
        let hasMinute = columns.contains { $0.source == .minute }
        var merger = RowMerger(columns: columns)
        var windows = ExportWindows(request.range)
        while let window = windows.window {
            let isOneMinute = window.lowerBound.advanced(by: 1) == window.upperBound
            do {
                try await read(
                    window, names, into: &merger, limit: hasMinute && !isOneMinute ? longestWindowRows : .max)
            } catch let refusal as TooManyRowsAsked {
                // Refused before the first row.
                if windows.shrink() { continue }
                try await readInPieces(window, names, into: &merger, refusal)
            } catch is TooManyRows {
                // Only where every window begins with an empty table: nothing else is lost.
                merger = RowMerger(columns: columns)
                _ = windows.shrink()
                continue
            }
            windows.finish(isSmall: merger.count < longestWindowRows / 4)
            if hasMinute { try write(&merger, output) }
        }
        try write(&merger, output)
    }

    private func write(_ merger: inout RowMerger, _ output: (String) throws -> Void) throws {
        for row in merger.takeRows() {
            try Task.checkCancellation()
            try output(request.writer.text(row))
        }
    }

    private func readInPieces(
        _ window: Range<Minute>, _ names: [BannerID: String], into merger: inout RowMerger, _ refusal: TooManyRowsAsked
    ) async throws {
        var banners = request.banners
        if banners.isEmpty {
            try await client.banners { page in
                banners += page.map(\.id)
                return true
            }
        }
        guard banners.count > 1 else { throw CommandFailure.failed("\(client.server): \(refusal)") }
        for start in stride(from: 0, to: banners.count, by: ExportRun.bannersAtOnce) {
            let some = banners[start..<min(start + ExportRun.bannersAtOnce, banners.count)]
            try await read(window, of: Array(some), names, into: &merger, limit: .max)
        }
    }

    private func read(
        _ window: Range<Minute>, of banners: [BannerID]? = nil, _ names: [BannerID: String],
        into merger: inout RowMerger,
        limit: Int
    ) async throws {
        let decoder = JSONDecoder()
        let query = request.query(window, of: banners ?? request.banners)
        try await client.lines("/v1/series", query: query) { record in
            if record.isBlank { return }
            guard let point = try? decoder.decode(SeriesPoint.self, from: Data(record.bytes)),
                let time = try? WrittenTime(point.time)
            else {
                throw CommandFailure.failed("\(client.server)/v1/series: line \(record.line) is not what tally answers")
            }
            merger.add(
                ExportPoint(
                    minute: time.minute, banner: point.banner, name: names[point.banner], kind: point.kind,
                    count: point.count))
            if merger.count > limit { throw TooManyRows() }
        }
    }

    private func bannerNames() async throws -> [BannerID: String] {
        var names: [BannerID: String] = [:]
        try await client.banners { page in
            for banner in page { names[banner.id] = banner.name }
            return true
        }
        return names
    }
}
