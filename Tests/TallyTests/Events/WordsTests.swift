// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("The words of the core")
struct WordsTests {
    @Test("a banner id is an integer from 1 on")
    func bannerValues() {
        #expect(BannerID(1)?.value == 1)
        #expect(BannerID(Int64.max)?.value == Int64.max)
        for value in [0, -1, Int64.min] { #expect(BannerID(value) == nil) }
    }

    @Test("a banner id is read from its digits alone")
    func bannerDigits() {
        #expect(BannerID(digits: "42")?.value == 42)
        #expect(BannerID(digits: "0042")?.value == 42)
        #expect(BannerID(digits: "9223372036854775807")?.value == Int64.max)
        let wrong = [
            "", "0", "+1", "-1", " 1", "1 ", "1.0", "1e3", "0x1", "9223372036854775808", "99999999999999999999", "٤٢",
            "１",
            "1\u{0}",
        ]
        for text in wrong { #expect(BannerID(digits: text) == nil, "\(text)") }
    }

    @Test("a kind is a lowercase letter and up to 31 of letters, digits and underscores")
    func kinds() {
        for name in ["click", "a", "z9_", "a_", String(repeating: "k", count: 32)] {
            #expect(Kind(name)?.name == name)
        }
        let wrong = ["", "Click", "9a", "_a", "a-b", "a b", "ä", "a\n", String(repeating: "k", count: 33), "clicк"]
        for name in wrong { #expect(Kind(name) == nil, "\(name)") }
        #expect(Kind.click == Kind("click"))
        #expect(Kind.impression == Kind("impression"))
    }

    @Test("the invalid events of a kind are of a kind that no user can name")
    func invalidKinds() {
        let longest = Kind(String(repeating: "k", count: 32))!
        for kind in [Kind.click, longest] {
            for reason in InvalidReason.allCases {
                let invalid = kind.invalid(reason)
                #expect(invalid.name == "\(kind).\(reason)")
                #expect(Kind(invalid.name) == nil)
                #expect(Kind(stored: invalid.name) == invalid)
                #expect(invalid.reason == reason && invalid.base == kind)
            }
            #expect(Kind(stored: kind.name) == kind && kind.reason == nil && kind.base == kind)
        }
        for name in ["click.", ".bot", "click.Bot", "click.bots", "click.bot.burst", "Click.bot", "a b.bot", ""] {
            #expect(Kind(stored: name) == nil, "\(name)")
        }
        #expect(Kind.click.withInvalid.map(\.name) == ["click", "click.bot", "click.burst"])
    }

    @Test("kinds are in the order of their bytes")
    func kindOrder() {
        let sorted = ["a", "a.bot", "a.burst", "a0", "a_", "aa", "b"].compactMap { Kind(stored: $0) }
        #expect(sorted.reversed().sorted() == sorted)
    }

    @Test("a minute is from 1970 to the end of 9999")
    func minuteRange() {
        #expect(Minute(sinceEpoch: 0) == .first)
        #expect(Minute(sinceEpoch: 4_223_371_679) == .last)
        // 9999-12-31T23:59:59Z, and the second behind it.
        #expect(Minute(unixSeconds: 253_402_300_799) == .last)
        #expect(Minute(unixSeconds: 253_402_300_800) == nil)
        for value in [-1, 4_223_371_680, Int64.max, Int64.min] { #expect(Minute(sinceEpoch: value) == nil) }
        #expect(Minute(unixSeconds: -1) == nil)
    }

    @Test("a minute holds its sixty seconds and their milliseconds")
    func minuteOfMoment() throws {
        let minute = try #require(Minute(unixSeconds: 1_733_997_600))
        #expect(minute.unixSeconds == 1_733_997_600)
        for seconds in 0..<60 as Range<Int64> {
            #expect(Minute(unixSeconds: 1_733_997_600 + seconds) == minute)
            #expect(Minute(Timestamp(milliseconds: (1_733_997_600 + seconds) * 1000 + 999)) == minute)
        }
        #expect(Minute(unixSeconds: 1_733_997_660) == minute.advanced(by: 1))
    }

    @Test("a moment outside of all minutes becomes the nearest one")
    func nearestMinute() {
        #expect(Minute(Timestamp(milliseconds: .min)) == .first)
        #expect(Minute(Timestamp(milliseconds: -1)) == .first)
        #expect(Minute(Timestamp(milliseconds: .max)) == .last)
    }

    @Test("advancing stays within all minutes")
    func advancing() {
        #expect(Minute.first.advanced(by: -1) == .first)
        #expect(Minute.last.advanced(by: 1) == .last)
        #expect(Minute.first.advanced(by: .max) == .last)
        #expect(Minute.last.advanced(by: .min) == .first)
        #expect(Minute.first.advanced(by: 5).advanced(by: -3).sinceEpoch == 2)
    }

    @Test("a node's id is 32 hexadecimal digits")
    func nodeIDs() {
        let text = "0123456789abcdef0011223344556677"
        #expect(NodeID(hex: text) == SampleChunks.node)
        #expect(SampleChunks.node.description == text)
        #expect(NodeID(bits: 5).description == String(repeating: "0", count: 31) + "5")
        #expect(NodeID(hex: text.uppercased()) == SampleChunks.node)
        let wrong = ["", String(text.dropLast()), text + "0", "+" + text.dropFirst(), "g" + text.dropFirst()]
        for text in wrong { #expect(NodeID(hex: text) == nil, "\(text)") }
    }

    @Test("a log's id has no characters that need quoting")
    func logIDs() {
        #expect(LogID("kafka:clicks/3")?.name == "kafka:clicks/3")
        #expect(LogID(String(repeating: "a", count: 128)) != nil)
        for name in ["", "a b", "ä", "a\n", String(repeating: "a", count: 129)] { #expect(LogID(name) == nil) }
        #expect(LogID(LogID(journal: SampleChunks.node).name) == LogID(journal: SampleChunks.node))
    }

    @Test("event ids are compared within one banner and kind")
    func eventIDs() throws {
        let banners = [1, 2].compactMap { BannerID($0) }
        let ids = banners.flatMap { banner in
            [Kind.click, .impression].flatMap { kind in ["a", "b"].map { EventID($0, banner: banner, kind: kind) } }
        }
        #expect(Set(ids).count == 8)
        #expect(EventID("a", banner: banners[0], kind: .click) == ids[0])
    }
}
