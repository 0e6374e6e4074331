// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallySimulator
import Testing

@testable import TallyServer

struct JSONReaderTests {
    private func read(_ text: String) throws -> JSONValue { try JSONReader.value(of: Array(text.utf8)[...]) }

    @Test func `reads every kind of value`() throws {
        let text = #" { "a" : [ 1 , -0 , "x\n\u00e9\ud83d\ude00\/" , true , false , null , { } , [ ] ] , "b":1.5e+3 } "#
        let expected = JSONObject(members: [
            (
                "a",
                .array([
                    .integer(1), .integer(0), .string("x\né😀/"), .boolean(true), .boolean(false), .null,
                    .object(JSONObject()), .array([]),
                ])
            ),
            ("b", .number("1.5e+3")),
        ])
        #expect(try read(text) == .object(expected))
    }

    @Test func `integers are exact to the last bit, and others keep their text`() throws {
        #expect(try read("9223372036854775807") == .integer(.max))
        #expect(try read("-9223372036854775808") == .integer(.min))
        #expect(try read("9007199254740993") == .integer(9_007_199_254_740_993))
        #expect(try read("9223372036854775808") == .number("9223372036854775808"))
        #expect(try read("1.0") == .number("1.0"))
        #expect(try read("1e3") == .number("1e3"))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "\"", "\"\\", "\"\\x\"",
        "\"\\u12\"", "\"\\u12G4\"",
        "\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\u{1}\"", "\"\t\"", "01", "-", "+1",
        ".5", "1.", "1e", "1e+", "0x1", "NaN",
        "tru", "truely", "nul", "1 2", "{} {}", "'a'", "// x\n1", "\u{FEFF}1", "[1}", "{\"a\":1]", "--1",
        "{\"a\":1 \"b\":2}",
    ])
    func `refuses what is not JSON`(text: String) {
        #expect(throws: JSONError.self) { try read(text) }
    }

    @Test func `an error says where it is, also in a slice`() {
        let bytes = Array("xx[1,?]".utf8)
        #expect(throws: JSONError(offset: 3, problem: "no value")) { try JSONReader.value(of: bytes[2...]) }
    }

    @Test func `nesting and members are limited, and a member has one value`() throws {
        let deep = String(repeating: "[", count: 16) + String(repeating: "]", count: 16)
        #expect(throws: Never.self) { try read(deep) }
        #expect(throws: JSONError.self) { try read("[" + deep + "]") }
        #expect(throws: JSONError.self) { try read(String(repeating: "[", count: 1_000_000)) }
        func object(_ count: Int) -> String { "{" + (0..<count).map { "\"\($0)\":0" }.joined(separator: ",") + "}" }
        #expect(throws: Never.self) { try read(object(64)) }
        #expect(throws: JSONError.self) { try read(object(65)) }
        #expect(throws: JSONError.self) { try read(#"{"a":1,"\u0061":2}"#) }
    }

    @Test func `agrees with Foundation on what was damaged at random`() {
        var random = SeededGenerator(seed: 8_259)
        let sample = Array(#"{"banner":12,"kind":"cl\u00e9\"ck","n":-1.5e3,"ok":[true,false,null,{}],"s":"é😀"}"#.utf8)
        for round in 0..<20_000 {
            var bytes = sample
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = .random(in: 0x20...0x7E, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: place)
                }
            }
            let mine = try? JSONReader.value(of: bytes[...])
            // Foundation is more generous here and there, so what it can't read must not be read by us either.
            if mine != nil {
                let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
                #expect(theirs != nil, "seed 8259, round \(round): \(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }
}

struct JSONWriterTests {
    @Test func `what is written is read back`() throws {
        let text = "quote \" backslash \\ line \n\r\t bell \u{7} nul \u{0} del \u{7F} é😀/"
        var json = JSONWriter()
        json.object { json in
            json.member("text", text)
            json.member("nothing", orNull: nil)
            json.name("list")
            json.array { json in
                json.integer(Int64.max)
                json.object { $0.member("yes", true) }
                json.array { _ in }
            }
        }
        let expected = JSONObject(members: [
            ("text", .string(text)), ("nothing", .null),
            ("list", .array([.integer(.max), .object(JSONObject(members: [("yes", .boolean(true))])), .array([])])),
        ])
        #expect(try JSONReader.value(of: json.bytes[...]) == .object(expected))
        let foundation = try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any]
        #expect(foundation?["text"] as? String == text)
    }
}

struct QuotedTests {
    @Test func `shows at most 64 characters, and nothing a terminal obeys`() {
        #expect(quoted("abc") == "\"abc\"")
        #expect(quoted(String(repeating: "x", count: 64)) == "\"" + String(repeating: "x", count: 64) + "\"")
        #expect(quoted(String(repeating: "x", count: 65)) == "\"" + String(repeating: "x", count: 64) + "…\"")
        #expect(quoted("a\u{1B}[31m\n\u{202E}") == #""a\u{1b}[31m\u{a}\u{202e}""#)
    }
}
