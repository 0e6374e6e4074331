// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Synchronization
import TallyCore
import Testing

@testable import tally

struct ImportRunTests {
    private let options = ImportOptions(format: .log, match: AccessLogSample.match, registers: true, kind: .click)
    private let quick = RetrySchedule(
        firstPause: .milliseconds(1), longestPause: .milliseconds(1), patience: .milliseconds(5))

    private func source(_ path: String) throws -> ImportSource {
        try ImportSource(file: try InputFile(path: path)) { _ in }
    }

    private func run(_ path: String, _ options: ImportOptions, at url: ServerURL) async throws -> ImportSummary {
        try await run(source(path), options, at: url)
    }

    private func run(
        _ source: ImportSource, _ options: ImportOptions, at url: ServerURL,
        progress: (WorkProgress) throws -> Void = { _ in }
    ) async throws -> ImportSummary {
        try await TallyClient.with(
            url, retries: quick, note: { _ in },
            body: { client in
                var run = ImportRun(client: client, node: source.fingerprint.node(options))
                return try await run.run(source, options, progress: progress)
            })
    }

    /// Serves while `body` runs, and makes a log of so many lines.
    private func serving(
        log count: Int, _ body: @escaping @Sendable (FakeTallyServer, ServerURL, _ path: String) async throws -> Void
    ) async throws {
        let directory = try ScratchDirectory()
        let path = try directory.file("log", log(count))
        let server = FakeTallyServer()
        try await server.serving { url in try await body(server, url, path) }
    }

    private func log(_ count: Int) -> [UInt8] {
        Array(
            (0..<count).map { "h - - [17/May/2015:10:05:03 +0000] \"GET /\($0 % 9) HTTP/1.1\" 200 1\n" }.joined().utf8)
    }

    private func export(at url: ServerURL, rows: Int = ExportRun.rows) async throws -> String {
        let columns = try ExportColumn.list(from: "minute,name=path,count")
        let from = try WrittenTime("2015-05-17").minute
        let writer = ExportWriter(format: .tsv, columns: columns)
        let request = ExportRequest(
            range: from..<from.advanced(by: 5 * 1_440), kinds: [], banners: [], writer: writer, hasHeader: true)
        var text = ""
        try await TallyClient.with(url, retries: quick) { client in
            try await ExportRun(client: client, request: request, longestWindowRows: rows).run { text += $0 }
        }
        return text
    }

    @Test(
        "a real log is counted once and exported to the byte",
        .enabled(if: AccessLogSample.exists, "the access log and its counts lie in ../shared/data"))
    func countsARealLogOnce() async throws {
        let server = FakeTallyServer()
        try await server.serving { url in
            let first = try await run(AccessLogSample.log, options, at: url)
            #expect((first.lines, first.counted, first.banners) == (10_000, 10_000, 1_498))
            #expect((first.rejected, first.unmatched, first.repairedNames) == (0, 0, 0))
            let second = try await run(AccessLogSample.log, options, at: url)
            #expect((second.counted, second.alreadyThere) == (0, 10_000))
            #expect(server.total == 10_000)
            #expect(server.state.withLock { $0.requests.filter { $0 == "POST /v1/chunks" }.count } == 2)
            let expected = try AccessLogSample.expectedText()
            #expect(try await export(at: url) == expected)
            #expect(try await export(at: url, rows: 50) == expected, "windows of a few rows give the same")
        }
    }

    @Test func anInterruptedImportGoesOnWhereItWas() async throws {
        try await serving(log: 12_000) { server, url, path in
            await #expect(throws: CancellationError.self) {
                try await run(source(path), options, at: url) { _ in throw CancellationError() }
            }
            #expect(server.total == 5_000)
            let summary = try await run(path, options, at: url)
            #expect((summary.counted, summary.alreadyThere) == (7_000, 5_000))
            #expect(server.total == 12_000)
        }
    }

    @Test func whereChunksAreMissingAllAreSentAgainAndCountOnce() async throws {
        try await serving(log: 12_000) { server, url, path in
            _ = try await run(path, options, at: url)
            server.state.withLock { state in for node in state.sequences.keys { state.sequences[node]?.remove(2) } }
            let summary = try await run(path, options, at: url)
            #expect((summary.counted, summary.alreadyThere) == (5_000, 7_000))
        }
    }

    @Test func aBusyServerIsAskedAgain() async throws {
        try await serving(log: 10) { server, url, path in
            server.state.withLock { $0.failures = [.serviceUnavailable, .tooManyRequests, .serviceUnavailable] }
            let summary = try await run(path, options, at: url)
            #expect(summary.counted == 10)
            #expect(server.total == 10)
        }
    }

    @Test func aRefusalIsToldAtOnce() async throws {
        try await serving(log: 10) { server, url, path in
            server.state.withLock { $0.failures = [.badRequest] }
            await #expect(throws: CommandFailure.failed("\(url) answers 400: No: told to answer 400")) {
                try await run(path, options, at: url)
            }
            #expect(server.state.withLock { $0.requests.count } == 1)
        }
    }

    @Test func withoutAServerItGivesUpAfterItsPatience() async throws {
        let directory = try ScratchDirectory()
        let path = try directory.file("log", log(1))
        let url = try #require(ServerURL("http://127.0.0.1:1"))
        await #expect(throws: CommandFailure.failed("\(url) does not answer: Connection refused")) {
            try await run(path, options, at: url)
        }
    }

    @Test func aCutOffFileIsNotImportedAtAll() async throws {
        let directory = try ScratchDirectory()
        let path = try directory.file("log.gz", GzipSample.first + GzipSample.second.dropLast())
        #expect(throws: CommandFailure.self) { try source(path) }
    }

    @Test func aFileThatGrowsMeanwhileIsImportedAsItWas() async throws {
        try await serving(log: 10) { server, url, path in
            let source = try source(path)
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(log(5)))
            #expect(try await run(source, options, at: url).counted == 10)
        }
    }

    @Test func aFileThatChangesMeanwhileIsAnError() async throws {
        try await serving(log: 10) { server, url, path in
            let source = try source(path)
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.write(contentsOf: Data("other".utf8))
            await #expect(throws: CommandFailure.self) { try await run(source, options, at: url) }
        }
    }

    @Test func quotedRowsOfATableKeepTheirEndsOfLine() async throws {
        let directory = try ScratchDirectory()
        let text = "name,ts,n\n\"/a\nb\",1431857103,2\n/c,1431857103,1\n"
        let path = try directory.file("table", Array(text.utf8))
        let server = FakeTallyServer()
        try await server.serving { url in
            let options = ImportOptions(format: .csv, match: nil, registers: true, kind: .click)
            let summary = try await run(path, options, at: url)
            #expect(summary.counted == 3)
            #expect(server.state.withLock { $0.names } == ["/a\nb", "/c"])
        }
    }

    @Test(
        "the format shows in the first line, packed or not",
        arguments: [("x,ts\n", ImportFormat.csv), ("\n{\"banner\":1}", .ndjson), ("", .log)])
    func detectsTheFormat(text: String, format: ImportFormat) throws {
        let directory = try ScratchDirectory()
        let path = try directory.file("f", Array(text.utf8))
        #expect(try source(path).detectedFormat == format)
    }
}
