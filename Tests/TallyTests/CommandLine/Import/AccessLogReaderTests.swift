// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import tally

struct AccessLogReaderTests {
    private func read(
        _ line: String, match: String = #""[A-Z]+ ([^ "]+)"#, registers: Bool = true
    ) throws -> RecordOutcome {
        try read(Array(line.utf8), match: match, registers: registers)
    }

    private func read(_ bytes: [UInt8], match: String = #""[A-Z]+ ([^ "]+)"#, registers: Bool = true) throws
        -> RecordOutcome
    {
        AccessLogReader(matcher: try LineMatcher(match), kind: .click, registers: registers)
            .read(Record(line: 1, bytes: bytes, isTooLong: false))
    }

    private func event(_ name: String, _ time: String) throws -> RecordOutcome {
        let minute = try WrittenTime(time).minute
        return .event(ImportedEvent(subject: .name(name), kind: .click, minute: minute))
    }

    @Test(
        "lines as servers write them are read",
        arguments: [
            #"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12"#,
            #"1.2.3.4 - bob [17/May/2015:10:05:59 +0000] "GET /a HTTP/1.1" 200 - "http://x/" "Mozilla (\"odd\") [x]""#,
            #"::1 - - [17/May/2015:10:05:03 +0000] "HEAD /a" 304 0"#,
            #"[2001:db8::1] - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12"#,
            #"example.org:443 1.2.3.4 - - [17/May/2015:13:05:03 +0300] "GET /a HTTP/1.1" 200 12"#,
            #"1.2.3.4 - - [17/May/2015:01:35:03 -0830] "GET /a HTTP/1.1" 200 12"#,
            #"1.2.3.4 - - [18/May/2015:00:05:03 +1400] "GET /a HTTP/1.1" 200 12"#,
            #"1.2.3.4 - [x] [17/May/2015:10:05:60 +0000] "GET /a HTTP/1.1" 200 12"#,
        ])
    func readsLines(line: String) throws { #expect(try read(line) == event("/a", "2015-05-17T10:05:00Z")) }

    @Test func anEmptyRequestHasNoMatch() throws {
        #expect(try read(#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "-" 408 -"#) == .unmatched)
        #expect(try read(#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "" 400 0"#) == .unmatched)
    }

    @Test func anEscapedQuoteIsPartOfThePath() throws {
        let line = #"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a\"b HTTP/1.1" 200 12"#
        #expect(try read(line, match: AccessLogSample.match) == event(#"/a\"b"#, "2015-05-17T10:05Z"))
    }

    @Test(
        "a time that can't be is named",
        arguments: [
            "31/Feb/2015:10:05:03 +0000", "17/Mai/2015:10:05:03 +0000", "17/May/2015:24:05:03 +0000",
            "17/May/2015:10:60:03 +0000", "17/May/2015:10:05:61 +0000", "17/May/2015:10:05:03 +2500",
            "00/May/2015:10:05:03 +0000", "17/May/1969:10:05:03 +0000", "01/Jan/1970:00:05:03 +0100",
        ])
    func namesImpossibleTimes(time: String) throws {
        #expect(try read("h - - [\(time)] \"GET /a\" 200 1") == .rejected("[\(time)] is no time between 1970 and 9999"))
    }

    @Test(
        "a line without a time is rejected",
        arguments: ["garbage", "[17/May/2015:10:05:03 +0000", "[17/May/2015 10:05:03 +0000] \"GET /a\"", "[]", "["])
    func namesMissingTimes(line: String) throws {
        #expect(try read(line) == .rejected("there is no time like [17/May/2015:10:05:03 +0000]"))
    }

    @Test func aBlankLineIsNothing() throws { #expect(try read(" \t") == .nothing) }

    @Test func withoutRegisteringTheGroupMustBeABanner() throws {
        let line = #"h - - [17/May/2015:10:05:03 +0000] "GET /banner/42 HTTP/1.1" 200 1"#
        let minute = try WrittenTime("2015-05-17T10:05Z").minute
        let banner = try #require(BannerID(42))
        #expect(
            try read(line, match: #"/banner/(\d+)"#, registers: false)
                == .event(ImportedEvent(subject: .banner(banner), kind: .click, minute: minute)))
        guard case .rejected(let reason) = try read(line, registers: false) else {
            Issue.record("a path is no banner")
            return
        }
        #expect(reason.contains("“/banner/42”") && reason.contains("1 to 9223372036854775807"))
    }

    @Test func aNameMustNotBeEmptyOrTooLong() throws {
        let line = #"h - - [17/May/2015:10:05:03 +0000] "GET /\#(String(repeating: "x", count: 2_048)) HTTP/1.1""#
        #expect(try read(line) == .rejected("a name of 2049 bytes; allowed: up to 2048"))
        #expect(try read(line, match: "GET(x*)") == .rejected("the name of the banner is empty"))
    }

    @Test func bytesThatAreNoUTF8AreReplacedAndCountedWhereTheyAreInTheName() throws {
        let start = Array(#"h - - [17/May/2015:10:05:03 +0000] "GET /"#.utf8)
        let minute = try WrittenTime("2015-05-17T10:05Z").minute
        let inName = try read(start + [0xFF] + Array(#"a HTTP/1.1" 200 1"#.utf8))
        #expect(
            inName == .event(ImportedEvent(subject: .name("/\u{FFFD}a"), kind: .click, minute: minute), repaired: true))
        let elsewhere = try read(start + Array(#"a HTTP/1.1" 200 1 ""#.utf8) + [0xFF])
        #expect(elsewhere == .event(ImportedEvent(subject: .name("/a"), kind: .click, minute: minute), repaired: false))
    }

    @Test("an expression needs exactly one group", arguments: ["a", "(a)(b)", "(?:a)", "(?<x>a)|(b)"])
    func countsGroups(pattern: String) {
        #expect(throws: CommandFailure.self) { try LineMatcher(pattern) }
    }

    @Test(
        "one group is one group, named, optional or in an alternative",
        arguments: ["(?<x>b)", "ab(x)?", "x|(b)", "(?:a)(b)", "(?x) (b) # b"])
    func acceptsOneGroup(pattern: String) throws { _ = try LineMatcher(pattern) }

    @Test func aBrokenExpressionIsNamed() throws {
        let failure = try #require(throws: CommandFailure.self) { try LineMatcher("(a") }
        #expect(failure.code == 64)
        #expect(failure.lines.first?.hasPrefix("--match: “(a” is no regular expression") == true)
    }

    @Test func aGroupThatTakesNoPartIsNoMatch() throws {
        #expect(try LineMatcher("a(x)?").group(in: "ab") == nil)
        #expect(try LineMatcher("a(x)?").group(in: "ax") == "x")
    }
}
