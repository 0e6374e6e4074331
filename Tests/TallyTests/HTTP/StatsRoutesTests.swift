// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import TallyCore
import Testing

@testable import TallyServer

struct StatsRoutesTests {
    /// The example of the specification: eight clicks in four of five minutes.
    static let example = [
        "10:00:10", "10:00:20", "10:00:30", "10:00:40", "10:01:10", "10:01:11", "10:03:22", "10:04:33",
    ]

    private func counted() async throws -> HTTPTest {
        let test = HTTPTest()
        let lines = Self.example.map { #"{"banner":1,"ts":"2024-12-12T\#($0)"}"# }.joined(separator: "\n")
        let answer = try await test.send(.post, "/v1/events?backfill=true", lines)
        #expect(answer.text == #"{"accepted":8,"rejected":[],"rejectedCount":0}"#)
        return test
    }

    private let naive =
        #"{"stats":[{"ts":"2024-12-12T10:00:00","v":4},{"ts":"2024-12-12T10:01:00","v":2},"#
        + #"{"ts":"2024-12-12T10:03:00","v":1},{"ts":"2024-12-12T10:04:00","v":1}]}"#

    @Test func `the example gives these bytes`() async throws {
        let test = try await counted()
        let answer = try await test.send(
            .post, "/stats/1", #"{"from":"2024-12-12T10:00:00","to":"2024-12-12T10:05:00"}"#)
        #expect(answer.status == 200)
        #expect(answer.type == "application/json")
        #expect(answer.text == naive)
    }

    @Test(arguments: [
        #"{"from":"2024-12-12T10:00:00","to":"2024-12-12T10:05:00"}"#,
        #"{"tsFrom":"2024-12-12 10:00:00","tsTo":"2024-12-12 10:05:00"}"#,
        #"{"ts_from":"2024-12-12T10:00","ts_to":"2024-12-12T10:05"}"#,
        #"{"TsFrom":"2024-12-12T10:00:59.999","TsTo":"2024-12-12T10:04:00.001"}"#,
        #"{"from":1733997600,"to":1733997900}"#,
        #"{"from":1733997600000,"to":1733997900000}"#,
        #"{"from":"1733997600","to":"1733997900000"}"#,
        #" {"to":"2024-12-12T10:05:59","from":"2024-12-12T10:00:59","kind":null,"theirs":[{}]}"#,
    ])
    func `every spelling means the same`(body: String) async throws {
        let test = try await counted()
        #expect(try await test.send(.post, "/stats/1", body).text == naive)
    }

    @Test(arguments: [
        ("Z", "2024-12-12T10:00:00Z", "2024-12-12T10:05:00Z"),
        ("+03:00", "2024-12-12T13:00:00+03:00", "2024-12-12T13:05:00+03:00"),
        ("-05:30", "2024-12-12T04:30:00-05:30", "2024-12-12T04:35:00-05:30"),
        ("+03:00", "2024-12-12T13:00:00+03:00", "2024-12-12T10:05:00Z"),
        ("Z", "2024-12-12T10:00:00", "2024-12-12T10:05:00Z"),
    ])
    func `answers with the offset of the request`(offset: String, from: String, to: String) async throws {
        let test = try await counted()
        let answer = try await test.send(.post, "/stats/1", #"{"from":"\#(from)","to":"\#(to)"}"#)
        let hour = ["Z": "10:00", "+03:00": "13:00", "-05:30": "04:30"][offset]!
        #expect(answer.text.hasPrefix(#"{"stats":[{"ts":"2024-12-12T\#(hour):00\#(offset)","v":4},"#))
    }

    @Test func `both ends are included, and nothing is an empty array`() async throws {
        let test = try await counted()
        let one = #"{"from":"2024-12-12T10:01:30","to":"2024-12-12T10:01:00"}"#
        #expect(try await test.send(.post, "/stats/1", one).text == #"{"stats":[{"ts":"2024-12-12T10:01:00","v":2}]}"#)
        let none = #"{"from":"2024-12-12T10:02:00","to":"2024-12-12T10:02:00"}"#
        #expect(try await test.send(.post, "/stats/1", none).text == #"{"stats":[]}"#)
        #expect(try await test.send(.post, "/stats/2", one).text == #"{"stats":[]}"#)
    }

    @Test func `counts clicks alone unless another kind is named, and names the banners where there are all`()
        async throws
    {
        let test = try await counted()
        try await test.send(
            .post, "/v1/events?backfill=true",
            #"[{"banner":2,"ts":1733997600,"kind":"impression","n":9},{"banner":3,"ts":1733997600}]"#)
        let range = #""from":"2024-12-12T10:00:00","to":"2024-12-12T10:00:00""#
        #expect(
            try await test.send(.post, "/stats", "{\(range)}").text
                == #"{"stats":[{"bannerId":1,"ts":"2024-12-12T10:00:00","v":4},{"bannerId":3,"ts":"2024-12-12T10:00:00","v":1}]}"#
        )
        #expect(
            try await test.send(.post, "/stats/2", #"{\#(range),"kind":"impression"}"#).text
                == #"{"stats":[{"ts":"2024-12-12T10:00:00","v":9}]}"#)
    }

    @Test(arguments: [
        ("", "the body is empty"), ("{", "not JSON"), (#"{"from":"2024-12-12T10:00:00""#, "not JSON"),
        ("[]", "an array"),
        ("null", "null"), ("{}", "from is missing"), (#"{"from":1733997600}"#, "to is missing"),
        (#"{"from":1733997600,"tsFrom":1733997600,"to":1733997600}"#, "mean the same"),
        (#"{"from":"yesterday","to":1733997600}"#, #"from is the text "yesterday", which is not a time"#),
        (#"{"from":true,"to":1733997600}"#, "from is true"), (#"{"from":1.5,"to":1733997600}"#, "from is 1.5"),
        (#"{"from":"2024-02-30T10:00:00","to":1733997600}"#, "not a time"),
        (#"{"from":"1969-12-31T23:59:59Z","to":1733997600}"#, "out of range"),
        (#"{"from":"2024-12-12T10:05:00","to":"2024-12-12T10:00:00"}"#, "lies before from"),
        (#"{"from":"2023-12-12T10:00:00","to":"2024-12-12T10:00:00"}"#, "more than 366 days"),
        (#"{"from":1733997600,"to":1733997600,"kind":"*"}"#, "lowercase letter"),
        (#"{"from":1733997600,"to":1733997600,"kind":7}"#, "kind is 7"),
        (#"{"from":1733997600,"to":1733997600} {}"#, "something after the end"),
        (#"{"from":1733997600,"from":1733997600,"to":1733997600}"#, "a second time"),
    ])
    func `refuses what can't be read, in the words its clients know`(body: String, error: String) async throws {
        let test = HTTPTest()
        let answer = try await test.send(.post, "/stats/1", body)
        #expect(answer.status == 400)
        #expect(answer.json?.allKeys as? [String] == ["error"])
        #expect(answer.error.contains(error))
    }

    @Test func `a year and a day is the longest range`() async throws {
        let test = HTTPTest()
        let from = Minute(sinceEpoch: 28_000_000)!
        for (length, status) in [(527_040, 200), (527_041, 400)] {
            let to = from.advanced(by: Int64(length - 1))
            #expect(
                try await test.send(.post, "/stats/1", #"{"from":\#(from.unixSeconds),"to":\#(to.unixSeconds)}"#).status
                    == status)
        }
    }

    @Test func `a body that is not UTF-8 is refused`() async throws {
        let body = Array(#"{"from":"20"#.utf8) + [0xFF] + Array(#"","to":1}"#.utf8)
        let answer = try await HTTPTest().send(.post, "/stats/1", bytes: body)
        #expect(answer.status == 400)
        #expect(answer.error.contains("a text that is not UTF-8"))
    }

    @Test func `a store that is down is a 503, never a 404`() async throws {
        let test = try await counted()
        test.service.set(\.storeError, .unavailable("PostgreSQL does not answer"))
        let answer = try await test.send(.post, "/stats/1", #"{"from":1733997600,"to":1733997600}"#)
        #expect(answer.status == 503)
        #expect(answer.headers[.retryAfter] == "5")
        #expect(answer.error == "PostgreSQL does not answer")
        test.service.set(\.storeError, .damaged("row 7 is damaged"))
        #expect(try await test.send(.post, "/stats/1", #"{"from":1733997600,"to":1733997600}"#).status == 500)
    }
}
