// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import tally

struct DelimitedTextTests {
    private static let difficult = [
        ["a", "b"], ["", ""], ["a,b", "c\"d\"", "e\nf"], ["\"", "\r\n", "\t"], ["\\", "\\t", "a\\"],
        ["é", "e\u{301}", "\u{301},"], ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1"],
        ["'=1", "''=1", "'", "''", "'a", "'\t", "=\u{301}", "'\u{301}=1"],
        ["\u{FF1D}1", "'\u{FF20}a", "\u{FF0B}", "\u{FF0D}"],
    ]

    @Test("what is written as CSV is read back", arguments: difficult)
    func csvRoundTrip(fields: [String]) throws {
        let row = DelimitedText.csv.row(fields)
        #expect(
            try DelimitedText.csv.fields(of: String(row.dropLast())).map { Array($0.utf8) }
                == fields.map { Array($0.utf8) })
    }

    @Test("what is written as TSV is read back, on one line", arguments: difficult)
    func tsvRoundTrip(fields: [String]) throws {
        let row = DelimitedText.tsv.row(fields)
        #expect(row.utf8.filter { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.count == 1)
        #expect(
            try DelimitedText.tsv.fields(of: String(row.dropLast())).map { Array($0.utf8) }
                == fields.map { Array($0.utf8) })
    }

    @Test func csvQuotesOnlyWhatNeedsIt() {
        #expect(DelimitedText.csv.row(["a b", "c;d", "e,f", "g\"h"]) == "a b,c;d,\"e,f\",\"g\"\"h\"\n")
    }

    @Test func aBackslashThatEscapesNothingStandsForItself() throws {
        #expect(try DelimitedText.tsv.fields(of: "C:\\x\\q\t\\") == ["C:\\x\\q", "\\"])
    }

    @Test func brokenQuotesAreNamed() {
        #expect(throws: DelimitedText.Problem.openQuote) { try DelimitedText.csv.fields(of: "a,\"b") }
        #expect(throws: DelimitedText.Problem.textAfterQuote) { try DelimitedText.csv.fields(of: "\"a\"b,c") }
        #expect(throws: DelimitedText.Problem.strayQuote) { try DelimitedText.csv.fields(of: "a\"b,c") }
    }
}
