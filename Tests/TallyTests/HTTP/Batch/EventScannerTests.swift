// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyServer

struct EventScannerTests {
    private func scan(_ text: String) -> ScannedEvent? {
        Array(text.utf8).withUnsafeBytes { bytes in
            var scanner = EventScanner(bytes)
            return scanner.nextEvent()
        }
    }

    private func words(_ name: String) -> KindWords.Words? { Array(name.utf8).withUnsafeBytes { KindWords.Words($0) } }

    @Test func `the usual shapes are read without JSONReader`() throws {
        let banner = try #require(BannerID(42))
        let time = Timestamp(milliseconds: 1_733_997_900_000)
        let view = try #require(words("view"))
        let full = ScannedEvent(banner: banner, kind: view, time: time, count: 3, id: "a-1")
        #expect(scan(#"{"banner":42}"#) == ScannedEvent(banner: banner))
        #expect(
            scan(#"{"banner":42,"kind":"view","ts":"2024-12-12T10:05:00Z","n":3,"id":"a-1"}"#) == full)
        #expect(
            scan(" {\t\"id\" : \"a-1\",\r\"n\":3 , \"ts\": 1733997900 ,\"kind\":\"view\", \"banner\" : 42 } ") == full)
        #expect(scan(#"{"banner":"42"}"#) == ScannedEvent(banner: banner))
        #expect(scan(#"{"banner":"9223372036854775807"}"#)?.banner.value == .max)
        #expect(scan(#"{"banner":42,"kind":"click"}"#) == ScannedEvent(banner: banner))
        #expect(scan(#"{"banner":999999999999999999}"#)?.banner.value == 999_999_999_999_999_999)
    }

    @Test(arguments: [
        "", "{", "{}", "7",
        #"{"banner":0}"#, #"{"banner":01}"#, #"{"banner":-1}"#, #"{"banner":1.0}"#, #"{"banner":1e1}"#,
        #"{"banner":"0"}"#, #"{"banner":"-1"}"#, #"{"banner":"\u0031"}"#, #"{"banner":"9223372036854775808"}"#,
        #"{"banner":null}"#, #"{"banner":1000000000000000000}"#, #"{"banner":1,"banner":1}"#,
        #"{"banner":1,"n":0}"#, #"{"banner":1,"n":1000000001}"#, #"{"banner":1,"kind":"\u0061"}"#,
        #"{"banner":1,"kind":"é"}"#, #"{"banner":1,"id":"é"}"#, "{\"banner\":1,\"id\":\"\t\"}", #"{"banner":1,"x":1}"#,
        #"{"banner":1,}"#, #"{"banner":1"#, #"{"banner":1,"kind":"click"#, #"{"banner" 1}"#, #"{"n":1}"#,
        #"{"banner":1,"kind":"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"}"#, #"{"banner":1,"ts":"soon"}"#, #"{"bannerx":1}"#,
    ])
    func `everything else is left to JSONReader`(text: String) { #expect(scan(text) == nil) }

    @Test func `a kind is found again by its bytes`() throws {
        var kinds = KindWords()
        let names = ["click", "view", "a", "z9_", String(repeating: "k", count: 32)]
        func number(_ name: String) throws -> Int? { kinds.number(of: try #require(words(name))) }
        let numbers = try names.map { try number($0) }
        #expect(numbers == Array(0..<names.count), "click is the first")
        for (index, name) in names.enumerated() {
            #expect(kinds[index].name == name)
            #expect(try number(name) == index)
        }
        #expect(try number("Click") == nil)
        #expect(try number("") == nil)
        #expect(words(String(repeating: "k", count: 33)) == nil)
    }

    @Test func `sums are found by banner, kind and minute, however many there are`() {
        var sums = BatchSums()
        func place(_ number: Int) -> BatchSums.Place {
            sums.slot(
                banner: Int64(1 + number / 12), kind: number % 3,
                minute: number % 4 == 0 ? nil : Minute.first.advanced(by: Int64(number % 4)))
        }
        for number in 0..<6_000 {
            #expect(sums[place(number)] == nil)
            sums[place(number)] = number
        }
        #expect((0..<6_000).allSatisfy { sums[place($0)] == $0 })
        sums[place(7)] = 9_999
        #expect(sums[place(7)] == 9_999)
        sums.removeAll()
        #expect((0..<6_000).allSatisfy { sums[place($0)] == nil })
    }
}
