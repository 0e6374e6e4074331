// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import tally

struct TableAndLineReaderTests {
    private func record(_ text: String) -> Record { Record(line: 1, bytes: Array(text.utf8), isTooLong: false) }

    private func readLine(_ text: String, registers: Bool = false) -> RecordOutcome {
        EventLineReader(defaultKind: .click, registers: registers).read(record(text))
    }

    private func readTable(
        _ rows: [String], _ format: DelimitedText = .csv, registers: Bool = false
    ) throws -> RecordOutcome {
        var reader = TableReader(format, defaultKind: .click, registers: registers)
        return try rows.map { try reader.read(record($0)) }.last ?? .nothing
    }

    private func event(
        _ subject: ImportedEvent.Subject, kind: Kind = .click, count: Int64 = 1, id: String? = nil
    ) throws -> RecordOutcome {
        let minute = try WrittenTime("2015-05-17T10:05Z").minute
        return .event(ImportedEvent(subject: subject, kind: kind, minute: minute, count: count, id: id))
    }

    private func banner(_ id: Int64) throws -> ImportedEvent.Subject { .banner(try #require(BannerID(id))) }

    @Test func aLineOfEventsIsRead() throws {
        let short = #"{"banner":42,"ts":1431857103}"#
        #expect(try readLine(short) == event(banner(42)))
        let long =
            #" {"id":"a1","n":3,"kind":"impression","ts":"2015-05-17T13:05:03+03:00","banner":9223372036854775807} "#
        #expect(try readLine(long) == event(banner(.max), kind: .impression, count: 3, id: "a1"))
    }

    @Test func whatExportWritesIsRead() throws {
        let line = #"{"minute":"2015-05-17T10:05:00Z","banner":7,"name":"/a","kind":"click","count":2}"#
        #expect(try readLine(line) == event(banner(7), count: 2))
        #expect(try readLine(line, registers: true) == event(.name("/a"), count: 2))
        let unnamed = #"{"minute":"2015-05-17T10:05:00Z","banner":7,"name":null,"kind":"click","count":2}"#
        #expect(try readLine(unnamed, registers: true) == event(banner(7), count: 2))
    }

    @Test(
        "a line that is no event says why",
        arguments: [
            ("nonsense", "it is no JSON object"), ("[1]", "it is no JSON object"),
            (#"{"banner":1"#, "it is no JSON object"),
            (#"{"ts":0}"#, "the banner is missing"), (#"{"banner":1}"#, "“ts” is missing"),
            (#"{"banner":1.5,"ts":0}"#, "“banner” must be a whole number"),
            (#"{"banner":"1","ts":0}"#, "“banner” must be a whole number"),
            (#"{"banner":0,"ts":0}"#, "is no banner"), (#"{"banner":-1,"ts":0}"#, "is no banner"),
            (#"{"banner":1,"ts":-1}"#, "is out of range"), (#"{"banner":1,"ts":"soon"}"#, "is not a time"),
            (#"{"banner":1,"ts":true}"#, "“ts” must be a text"), (#"{"banner":1,"ts":0,"n":0}"#, "is no count"),
            (#"{"banner":1,"ts":0,"n":1000000001}"#, "is no count"),
            (#"{"banner":1,"ts":0,"kind":"Click"}"#, "is no kind"),
            (#"{"banner":1,"ts":0,"id":""}"#, "an id of 0 bytes"),
            (#"{"banner":1,"ts":0,"cuont":2}"#, "“cuont” is unknown"),
            (#"{"name":"/a","ts":0}"#, "--register takes names"),
        ])
    func namesBrokenLines(line: String, reason: String) {
        guard case .rejected(let problem) = readLine(line) else {
            Issue.record("\(line) is accepted")
            return
        }
        #expect(problem.contains(reason))
    }

    @Test func aRowUnderItsHeaderIsRead() throws {
        let header = "minute,banner,kind,count,id"
        #expect(
            try readTable([header, "2015-05-17T10:05:00Z,42,impression,3,a1"])
                == event(banner(42), kind: .impression, count: 3, id: "a1"))
        #expect(try readTable([header, "2015-05-17 10:05,42,,,"]) == event(banner(42)))
        #expect(try readTable(["name,ts", "\"/a,\nb\",1431857103"], registers: true) == event(.name("/a,\nb")))
        #expect(try readTable(["name\tts", "/a\\tb\t1431857103"], .tsv, registers: true) == event(.name("/a\tb")))
    }

    @Test func theHeaderItselfAndBlankRowsAreNothing() throws {
        #expect(try readTable(["banner,ts"]) == .nothing)
        #expect(try readTable(["", "banner,ts", ""]) == .nothing)
    }

    @Test(
        "a row that is no event says why",
        arguments: [
            ("1", "1 fields where the header has 3"), ("1,0,1,9", "4 fields"), (",0,1", "the banner is missing"),
            ("1,,1", "the time is missing"), ("x,0,1", "is no banner"), ("1,0,1.5", "is no count"),
            ("1,0,\"1", "not closed"),
        ])
    func namesBrokenRows(row: String, reason: String) throws {
        guard case .rejected(let problem) = try readTable(["banner,ts,n", row]) else {
            Issue.record("\(row) is accepted")
            return
        }
        #expect(problem.contains(reason))
    }

    @Test(
        "a header that doesn't say enough ends the import",
        arguments: ["ts,n", "banner,n", "banner,ts,cuont", "banner,ts,minute", "banner,banner,ts", "1,2015-05-17,3"])
    func refusesHeaders(header: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try readTable([header]) }
        #expect(failure.lines.first?.contains("allowed: banner, name, kind, ts, minute, n, count, id") == true)
    }

    @Test func theFirstLineTellsTheFormat() {
        #expect(ImportFormat.detected(from: #"  {"banner":1}"#) == .ndjson)
        #expect(ImportFormat.detected(from: "minute\tbanner\tcount") == .tsv)
        #expect(ImportFormat.detected(from: "minute,banner,count") == .csv)
        #expect(ImportFormat.detected(from: #"h - - [17/May/2015:10:05:03 +0000] "GET /a,b HTTP/1.1" 200 1"#) == .log)
        #expect(ImportFormat.detected(from: "") == .log)
    }

    @Test func matchIsForLogsAndLogsNeedIt() {
        let table = ImportOptions(format: .csv, match: "(a)", registers: false, kind: .click)
        #expect(throws: CommandFailure.self) { try table.makeReader() }
        let log = ImportOptions(format: .log, match: nil, registers: false, kind: .click)
        #expect(throws: CommandFailure.self) { try log.makeReader() }
    }
}
