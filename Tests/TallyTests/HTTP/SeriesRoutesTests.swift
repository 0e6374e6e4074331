// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TallyCore
import Testing

@testable import TallyServer

struct SeriesRoutesTests {
    private func counted(_ events: String) async throws -> HTTPTest {
        let test = HTTPTest()
        let answer = try await test.send(.post, "/v1/events?backfill=true", events)
        #expect(answer.json?["rejectedCount"] as? Int == 0, "\(answer.text)")
        return test
    }

    private var example: String {
        StatsRoutesTests.example.map { #"{"banner":1,"ts":"2024-12-12T\#($0)"}"# }.joined(separator: "\n")
            + "\n" + #"{"banner":2,"kind":"impression","n":7,"ts":"2024-12-12T10:04:59"}"#
    }

    private let range = "from=2024-12-12T10:00:00&to=2024-12-12T10:05:00"

    @Test func `answers every banner and kind by the minute, and says what is final`() async throws {
        let test = try await counted(example)
        test.service.set(\.watermark, Minute(unixSeconds: 1_733_997_720)!)  // 10:02
        let answer = try await test.get("/v1/series?\(range)")
        #expect(answer.type == "application/json")
        #expect(
            answer.text
                == #"{"from":"2024-12-12T10:00:00Z","to":"2024-12-12T10:05:00Z","step":"1m","watermark":"2024-12-12T10:02:00Z","#
                + #""series":[{"banner":1,"kind":"click","points":[{"ts":"2024-12-12T10:00:00Z","v":4,"final":true},"#
                + #"{"ts":"2024-12-12T10:01:00Z","v":2,"final":true},{"ts":"2024-12-12T10:03:00Z","v":1,"final":false},"#
                + #"{"ts":"2024-12-12T10:04:00Z","v":1,"final":false}]},{"banner":2,"kind":"impression","#
                + #""points":[{"ts":"2024-12-12T10:04:00Z","v":7,"final":false}]}]}"#)
        #expect(answer.headers[.eTag] == nil)
        #expect(answer.headers[.cacheControl] == "no-store")
    }

    @Test func `the end does not belong to the range, and an empty range has no points`() async throws {
        let test = try await counted(example)
        let answer = try await test.get("/v1/series?from=2024-12-12T10:01:00&to=2024-12-12T10:04:00&format=ndjson")
        #expect(
            answer.text
                == #"{"banner":1,"kind":"click","ts":"2024-12-12T10:01:00Z","v":2,"final":false}"# + "\n"
                + #"{"banner":1,"kind":"click","ts":"2024-12-12T10:03:00Z","v":1,"final":false}"# + "\n")
        #expect(answer.type == "application/x-ndjson")
        let empty = try await test.get("/v1/series?from=2024-12-12T10:01:00&to=2024-12-12T10:01:59")
        #expect(empty.text.hasSuffix(#""series":[]}"#))
        #expect(
            try await test.get(
                "/v1/series?from=2024-12-12T10:01:00&to=2024-12-12T10:01:59&fill=zero&banner=1&kind=click"
            ).status == 200)
    }

    @Test func `filters by banners and kinds, and writes CSV`() async throws {
        let test = try await counted(example)
        let answer = try await test.get("/v1/series?\(range)&banner=2&banner=3&kind=click&kind=impression&format=csv")
        #expect(answer.text == "banner,kind,ts,v,final\n2,impression,2024-12-12T10:04:00Z,7,false\n")
        #expect(answer.type == "text/csv; charset=utf-8")
    }

    @Test func `fills zeros, also for what was asked for and never counted`() async throws {
        let test = try await counted(example)
        let answer = try await test.get("/v1/series?\(range)&step=5m&fill=zero&banner=1&banner=9&kind=click&format=csv")
        #expect(
            answer.text
                == "banner,kind,ts,v,final\n1,click,2024-12-12T10:00:00Z,8,false\n9,click,2024-12-12T10:00:00Z,0,false\n"
        )
        let minutes = try await test.get("/v1/series?\(range)&fill=zero&banner=1&format=csv")
        #expect(
            minutes.text.split(separator: "\n").map { $0.split(separator: ",")[3] } == ["v", "4", "2", "0", "1", "1"])
    }

    @Test func `days begin when they begin in the time zone`() async throws {
        // Moscow is three hours ahead: its 13th begins at 21:00 of the 12th.
        let test = try await counted(
            #"[{"banner":1,"ts":"2024-12-12T20:59:00Z"},{"banner":1,"ts":"2024-12-12T21:00:00Z","n":10}]"#
                .replacing("2024-12-12", with: "2024-12-11"))
        let answer = try await test.get(
            "/v1/series?from=2024-12-10&to=2024-12-13&step=1d&tz=Europe/Moscow&format=csv&fill=zero")
        #expect(
            answer.text == """
                banner,kind,ts,v,final
                1,click,2024-12-10T00:00:00+03:00,0,false
                1,click,2024-12-11T00:00:00+03:00,1,false
                1,click,2024-12-12T00:00:00+03:00,10,false

                """)
        let json = try await test.get("/v1/series?from=2024-12-10&to=2024-12-13&step=1d&tz=Europe/Moscow").text
        #expect(
            json.hasPrefix(
                #"{"from":"2024-12-10T00:00:00+03:00","to":"2024-12-13T00:00:00+03:00","step":"1d","tz":"Europe/Moscow","#
            ))
    }

    @Test func `a day on which clocks are set has 23 or 25 hours`() async throws {
        // Berlin: on 2024-03-31 from 02:00 to 03:00, on 2024-10-27 from 03:00 back to 02:00.
        let test = try await counted(
            #"[{"banner":1,"ts":"2024-10-27T00:30:00Z"},{"banner":1,"ts":"2024-10-27T01:30:00Z","n":2}]"#)
        func lines(_ query: String) async throws -> [Substring] {
            try await test.get("/v1/series?\(query)&tz=Europe/Berlin&fill=zero&banner=1&kind=click&format=csv").text
                .split(separator: "\n").dropFirst().map { $0.split(separator: ",")[2] }
        }
        #expect(try await lines("from=2024-03-31&to=2024-04-01&step=1h").count == 23)
        let autumn = try await lines("from=2024-10-27&to=2024-10-28&step=1h")
        #expect(autumn.count == 25)
        #expect(autumn[2...3] == ["2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00"])
        #expect(
            try await lines("from=2024-10-26&to=2024-10-29&step=1d")
                == ["2024-10-26T00:00:00+02:00", "2024-10-27T00:00:00+02:00", "2024-10-28T00:00:00+01:00"])
    }

    @Test func `a finished range has a tag that makes it a 304, until a backfill changes it`() async throws {
        let test = try await counted(example)
        test.service.set(\.watermark, Minute(unixSeconds: 1_733_997_900)!)
        let first = try await test.get("/v1/series?\(range)")
        let tag = try #require(first.headers[.eTag])
        #expect(tag.hasPrefix("W/\""))
        for wanted in [tag, "\"x\", \(tag)", "*", String(tag.dropFirst(2))] {
            let second = try await test.get("/v1/series?\(range)", headers: [.ifNoneMatch: wanted])
            #expect(second.status == 304)
            #expect(second.bytes.isEmpty)
            #expect(second.headers[.eTag] == tag)
        }
        try await test.send(.post, "/v1/events?backfill=true", #"{"banner":1,"ts":"2024-12-12T10:00:00"}"#)
        let third = try await test.get("/v1/series?\(range)", headers: [.ifNoneMatch: tag])
        #expect(third.status == 200)
        #expect(third.headers[.eTag] != tag)
    }

    @Test func `an answer that was written before is the same, until something is counted or becomes final`()
        async throws
    {
        let test = try await counted(example)
        let uri = "/v1/series?\(range)&banner=1&kind=click"
        // One server, which remembers; each `test.send` has its own.
        try await test.application.test(.router) { client in
            func get(_ headers: HTTPFields = [:]) async throws -> Answer {
                let response = try await client.executeRequest(uri: uri, method: .get, headers: headers, body: nil)
                return Answer(
                    status: response.status.code, headers: response.headers,
                    bytes: Array(response.body.readableBytesView))
            }
            let first = try await get()
            let again = try await get()
            #expect(again.bytes == first.bytes)
            #expect(again.headers == first.headers)
            #expect(first.headers[.contentLength] == "\(first.bytes.count)")
            try await test.send(.post, "/v1/events?backfill=true", #"{"banner":1,"ts":"2024-12-12T10:00:00"}"#)
            #expect(try await get().text == first.text.replacing(#""v":4"#, with: #""v":5"#))
            test.service.set(\.watermark, Minute(unixSeconds: 1_733_997_660)!)
            #expect(try await get().text.contains(#""v":5,"final":true"#))
            test.service.set(\.watermark, Minute(unixSeconds: 1_733_997_900)!)
            for _ in 0..<2 {
                let tag = try #require(try await get().headers[.eTag])
                let unchanged = try await get([.ifNoneMatch: tag])
                #expect(unchanged.status == 304)
                #expect(unchanged.headers[.contentType] == nil)
            }
        }
    }

    @Test func `without a range it is the last hour with the running minute`() async throws {
        let test = HTTPTest()  // It is 10:05:00.
        let text = try await test.get("/v1/series").text
        #expect(text.hasPrefix(#"{"from":"2024-12-12T09:06:00Z","to":"2024-12-12T10:06:00Z","step":"1m""#))
        #expect(
            try await test.get("/v1/series?to=2024-12-12T10:00:00").text.hasPrefix(#"{"from":"2024-12-12T09:00:00Z""#))
    }

    @Test func `a plus of an offset may stand as it is or encoded`() async throws {
        for from in ["2024-12-12T13:00:00+03:00", "2024-12-12T13:00:00%2B03:00"] {
            let text = try await HTTPTest().get("/v1/series?from=\(from)").text
            #expect(text.hasPrefix(#"{"from":"2024-12-12T10:00:00Z""#))
        }
    }

    @Test func `a long answer arrives whole`() async throws {
        let test = try await counted(example)
        let answer = try await test.get(
            "/v1/series?from=2024-12-01&to=2024-12-31&fill=zero&banner=1&kind=click&format=ndjson")
        let lines = answer.text.split(separator: "\n")
        #expect(lines.count == 30 * 1_440)
        #expect(lines.allSatisfy { $0.hasPrefix(#"{"banner":1,"kind":"click","ts":"2024-12-"#) && $0.hasSuffix("}") })
    }

    @Test(arguments: [
        ("banner=0", "an integer from 1"), ("banner=1&banner=x", #"the banner id is "x""#),
        ("kind=K", "lowercase letter"),
        ("from=soon", #"from is "soon", which is not a time"#), ("from=2024-12-12&from=2024-12-12", "more than once"),
        ("from=2024-12-12&to=2024-12-11", "lies before from"), ("step=2m", "allowed are 1m, 5m, 1h, 1d"),
        ("tz=Mars/Base", "the IANA database"), ("fill=one", "allowed is zero"),
        ("format=xml", "allowed are json, csv, ndjson"),
        ("setp=1h", #"unknown parameter "setp"; allowed are banner, kind, from, to, step, tz, fill, format"#),
        ("from=2023-01-01&to=2024-01-03&step=1m", "more than 366 days, the most for step=1m"),
        ("from=2000-01-01&to=2024-01-01&step=5m", "more than 1000000 steps"),
        ("from=2023-12-31&to=2024-12-31&fill=zero&kind=click&banner=1&banner=2", "more than 1000000 points"),
    ])
    func `refuses what makes no sense and says what is allowed`(query: String, error: String) async throws {
        let answer = try await HTTPTest().get("/v1/series?\(query)")
        #expect(answer.status == 400)
        #expect(answer.isProblem)
        #expect(answer.error.contains(error), "\(answer.error)")
    }

    @Test func `a store that is down is a 503`() async throws {
        let test = HTTPTest()
        test.service.set(\.storeError, .unavailable("SQLite is locked"))
        let answer = try await test.get("/v1/series")
        #expect(answer.status == 503)
        #expect(answer.isProblem)
        #expect(answer.error == "SQLite is locked")
    }

    @Test(.timeLimit(.minutes(5))) func `more series than are answered are refused before any is made`() async throws {
        let test = HTTPTest()
        let banners = (1...2_000).map { "banner=\($0)" }.joined(separator: "&")
        let kinds = (1...257).map { "kind=k\($0)" }
        let range = "&fill=zero&from=2024-12-12T10:00:00&to=2024-12-12T10:02:00"
        let tooManyKinds = try await test.get("/v1/series?" + kinds.joined(separator: "&") + range)
        #expect(tooManyKinds.status == 400)
        #expect(tooManyKinds.error.contains("256"))
        let tooMany = try await test.get("/v1/series?\(banners)&" + kinds.dropLast().joined(separator: "&") + range)
        #expect(tooMany.status == 400)
        #expect(tooMany.error.contains("1000000 points"))
    }
}
