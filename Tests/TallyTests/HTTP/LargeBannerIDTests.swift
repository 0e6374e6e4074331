// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import TallyCore
import Testing

@testable import TallyServer
@testable import tally

/// Ids that a double cannot hold (RFC 8259, section 6).
struct LargeBannerIDTests {
    @Test func `an id is a number as long as every client reads it exactly`() throws {
        #expect(try #require(BannerID(1)).json == "1")
        #expect(try #require(BannerID(9_007_199_254_740_991)).json == "9007199254740991")
        #expect(try #require(BannerID(9_007_199_254_740_992)).json == #""9007199254740992""#)
        #expect(try #require(BannerID(.max)).json == #""9223372036854775807""#)
    }

    @Test(arguments: [
        JSONValue.integer(9_007_199_254_740_993), .string("9007199254740993"), .string("0009007199254740993"),
    ])
    func `a request has a number or digits`(value: JSONValue) throws {
        #expect(try BannerID(json: value).value == 9_007_199_254_740_993)
    }

    @Test(arguments: [
        nil, JSONValue.null, .string(""), .string("+1"), .string(" 1"), .string("1.0"), .string("0"), .string("٣"),
        .string("9223372036854775808"), .number("9007199254740993.0"), .integer(-1),
    ])
    func `anything else is refused`(value: JSONValue?) {
        #expect(throws: BadRequest.self) { try BannerID(json: value) }
    }

    @Test func `every answer has the id exactly`() async throws {
        let test = HTTPTest()
        let id = "9007199254740993"
        let written = #""9007199254740993""#
        try await test.send(.post, "/v1/events", #"{"banner":"\#(id)"}"#)
        try await test.send(.post, "/v1/events", #"{"banner":\#(id),"n":2}"#)
        try await test.send(.post, "/counter/9007199254740994")
        let put = try await test.send(.put, "/v1/banners/\(id)", #"{"name":"x"}"#)
        #expect(put.text.contains(#""id":\#(written)"#))
        let page = try await test.get("/v1/banners?limit=1").text
        #expect(page.contains(#""id":\#(written)"#) && page.hasSuffix(#""next":\#(written)}"#))
        let names = try await test.send(.post, "/v1/banners", #"{"names":["x"]}"#)
        #expect(names.text == #"{"banners":[{"id":\#(written),"name":"x"}]}"#)
        let minute = #"{"from":"2024-12-12T10:05:00Z","to":"2024-12-12T10:05:00Z"}"#
        let stats = try await test.send(.post, "/stats", minute)
        #expect(stats.text.contains(#"{"bannerId":\#(written),"ts":"2024-12-12T10:05:00Z","v":3}"#))
        for path in ["/v1/top", "/v1/series?banner=\(id)", "/v1/series?banner=\(id)&format=ndjson"] {
            #expect(try await test.get(path).text.contains(#""banner":\#(written)"#), "\(path)")
        }
        #expect(try await test.get("/v1/series?banner=\(id)&format=csv").text.contains("\n9007199254740993,click,"))
    }

    @Test func `the command reads both forms`() throws {
        let text = #"{"banners":[{"id":1,"name":null},{"id":"9007199254740993","name":"x"}],"next":"9007199254740993"}"#
        let answer = try JSONDecoder().decode(BannersAnswer.self, from: Data(text.utf8))
        let large = try #require(BannerID(9_007_199_254_740_993))
        #expect(answer.banners.map(\.id) == [try #require(BannerID(1)), large])
        #expect(answer.next == large)
        for id in ["0", #""0""#, #""x""#, "1.5"] {
            let text = #"{"banners":[{"id":\#(id),"name":null}],"next":null}"#
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(BannersAnswer.self, from: Data(text.utf8)) }
        }
    }
}
