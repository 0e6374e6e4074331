// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import TallyCore
import Testing

@testable import TallyServer
@testable import tally

struct FormulaCellTests {
    @Test(
        "a cell that begins like a formula is text in a spreadsheet",
        arguments: [
            ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"), ("＝1", "'＝1"), ("'=1", "''=1"), ("=\u{301}1", "'=\u{301}1"), ("a=1", "a=1"),
            ("'a", "'a"),
            ("", ""), ("'", "'"), ("/x", "/x"),
        ])
    func neutralised(cell: String, written: String) {
        #expect(Array(FormulaCell.neutralised(cell).utf8) == Array(written.utf8))
        #expect(Array(FormulaCell.restored(written).utf8) == Array(cell.utf8))
    }

    private func text(_ name: String, _ format: ExportFormat, isRaw: Bool = false) throws -> String {
        let writer = ExportWriter(format: format, columns: ExportColumn.standard, isRaw: isRaw)
        var merger = RowMerger(columns: writer.columns)
        merger.add(ExportPoint(minute: .first, banner: StoreTest.banner(1), name: name, kind: "click", count: 3))
        return (writer.header ?? "") + merger.takeRows().map(writer.text).joined()
    }

    @Test func `an export is neutralised unless it is raw, and CSV alone`() throws {
        let row = { (name: String) in "1970-01-01T00:00:00Z,1,\(name),click,3\n" }
        #expect(try text("=1+1", .csv).hasSuffix(row("'=1+1")))
        #expect(try text("=1+1", .csv, isRaw: true).hasSuffix(row("=1+1")))
        #expect(try text(#"=HYPERLINK("http://x","y")"#, .csv).hasSuffix(row(#""'=HYPERLINK(""http://x"",""y"")""#)))
        #expect(try text("=1+1", .tsv).contains("\t=1+1\t"))
        #expect(try text("=1+1", .ndjson).contains(#""name":"=1+1""#))
    }

    @Test("an import reads the names of an export", arguments: ["=1+1", "'=1+1", "@a,\"b\"", "-", "'x", "+é"])
    func roundTrip(name: String) throws {
        var reader = TableReader(.csv, defaultKind: .click, registers: true)
        let lines = try text(name, .csv).split(separator: "\n")
        #expect(try reader.read(Record(line: 1, bytes: Array(lines[0].utf8), isTooLong: false)) == .nothing)
        let event = ImportedEvent(subject: .name(name), kind: .click, minute: .first, count: 3)
        let outcome = try reader.read(Record(line: 2, bytes: Array(lines[1].utf8), isTooLong: false))
        #expect(outcome == .event(event))
    }

    @Test func `the CSV of a series holds nothing that begins like a formula`() async throws {
        let test = HTTPTest()
        try await test.send(.put, "/v1/banners/1", #"{"name":"=1+1","tags":["=1"]}"#)
        try await test.send(.post, "/counter/1")
        let answer = try await test.get("/v1/series?format=csv&traffic=all").text
        #expect(answer.hasPrefix("banner,kind,traffic,reason,ts,v,final\n1,click,gross,"))
        #expect(answer.split { ",\n".contains($0) }.allSatisfy { $0.first.map { $0.isLetter || $0.isNumber } ?? true })
        #expect(try await test.get("/v1/series?format=csv&kind=%3D1").status == 400)
    }
}
