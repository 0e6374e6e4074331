// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore
import Testing

@testable import TallyServer

@Suite("Gross, net and invalid")
struct TrafficRoutesTests {
    private static let bot: HTTPFields = [.userAgent: "Googlebot/2.1"]
    private static let person: HTTPFields = [.userAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0"]

    /// Banner 1: five clicks, two of a bot; an impression of a bot. Banner 2: one click of a person.
    private func counted() async throws -> HTTPTest {
        let test = HTTPTest()
        for headers in [Self.bot, Self.person, Self.person, Self.bot, Self.person] {
            #expect(try await test.send(.get, "/counter/1", headers: headers).status == 204)
        }
        #expect(try await test.send(.get, "/v1/pixel/1", headers: Self.bot).status == 200)
        #expect(try await test.send(.post, "/v1/beacon/2", headers: Self.person).status == 204)
        return test
    }

    private let range = "from=2024-12-12T10:05:00&to=2024-12-12T10:06:00"

    private func lines(_ test: HTTPTest, _ query: String) async throws -> [String] {
        let answer = try await test.get("/v1/series?\(range)&format=csv\(query)")
        #expect(answer.status == 200, "\(answer.text)")
        return answer.text.split(separator: "\n").dropFirst().map { line in
            String(line).replacing(",2024-12-12T10:05:00Z", with: "").replacing(",false", with: "")
        }
    }

    @Test func `a series has what was sent, as ever, and the others when they are asked for`() async throws {
        let test = try await counted()
        let gross = ["1,click,5", "1,impression,1", "2,click,1"]
        #expect(try await lines(test, "") == gross)
        #expect(try await lines(test, "&traffic=gross") == gross)
        #expect(try await lines(test, "&traffic=net") == ["1,click,3", "2,click,1"])
        #expect(try await lines(test, "&traffic=invalid") == ["1,click,invalid,bot,2", "1,impression,invalid,bot,1"])
        #expect(try await lines(test, "&traffic=net&kind=click&banner=1") == ["1,click,3"])
        #expect(
            try await lines(test, "&traffic=all") == [
                "1,click,gross,,5", "1,click,net,,3", "1,click,invalid,bot,2", "1,impression,gross,,1",
                "1,impression,invalid,bot,1", "2,click,gross,,1", "2,click,net,,1",
            ])
        #expect(
            try await lines(test, "&traffic=all&kind=click&banner=2&fill=zero") == [
                "2,click,gross,,1", "2,click,net,,1", "2,click,invalid,bot,0", "2,click,invalid,burst,0",
            ])
    }

    @Test func `side by side in the other formats, too`() async throws {
        let test = try await counted()
        let answer = try await test.get("/v1/series?\(range)&traffic=all&kind=impression&format=ndjson")
        #expect(
            answer.text
                == #"{"banner":1,"kind":"impression","traffic":"gross","ts":"2024-12-12T10:05:00Z","v":1,"final":false}"#
                + "\n"
                + #"{"banner":1,"kind":"impression","traffic":"invalid","reason":"bot","ts":"2024-12-12T10:05:00Z","v":1,"final":false}"#
                + "\n")
        let json = try await test.get("/v1/series?\(range)&traffic=all&kind=impression").text
        #expect(json.contains(#"{"banner":1,"kind":"impression","traffic":"invalid","reason":"bot","points":[{"#))
        #expect(try await !test.get("/v1/series?\(range)").text.contains("traffic"))
    }

    @Test func `larger steps are summed before one is taken from the other`() async throws {
        let test = HTTPTest()
        for minute in 0..<3 {
            test.service.set(\.now, Timestamp(milliseconds: 1_733_997_900_000 + Int64(minute) * 60_000))
            try await test.send(.get, "/counter/1", headers: Self.bot)
            if minute > 0 { try await test.send(.get, "/counter/1", headers: Self.person) }
        }
        let hour = "from=2024-12-12T10:00:00&to=2024-12-12T11:00:00&step=1h&format=csv&traffic=all"
        let answer = try await test.get("/v1/series?\(hour)").text
        #expect(
            answer == "banner,kind,traffic,reason,ts,v,final\n1,click,gross,,2024-12-12T10:00:00Z,5,false\n"
                + "1,click,net,,2024-12-12T10:00:00Z,2,false\n1,click,invalid,bot,2024-12-12T10:00:00Z,3,false\n")
    }

    @Test func `totals and the top have them`() async throws {
        let test = try await counted()
        #expect(
            try await test.get("/v1/totals").text.hasPrefix(
                #"{"total":7,"kinds":[{"kind":"click","v":6},{"kind":"impression","v":1}],"#))
        #expect(
            try await test.get("/v1/totals?traffic=net").text.hasPrefix(
                #"{"total":4,"kinds":[{"kind":"click","v":4}],"#))
        #expect(
            try await test.get("/v1/totals?traffic=all").text.hasPrefix(
                #"{"total":7,"kinds":[{"kind":"click","v":6,"net":4,"invalid":2,"reasons":[{"reason":"bot","v":2},"#
                    + #"{"reason":"burst","v":0}]},{"kind":"impression","v":1,"net":0,"invalid":1,"#))
        func top(_ query: String) async throws -> String {
            let text = try await test.get("/v1/top\(query)").text
            return String(text[(text.firstRange(of: #""top":"#)?.upperBound ?? text.startIndex)...])
        }
        let gross = #"[{"banner":1,"name":null,"v":5},{"banner":2,"name":null,"v":1}]}"#
        #expect(try await top("") == gross)
        #expect(try await top("?traffic=net") == gross.replacing("5", with: "3"))
        #expect(try await top("?traffic=invalid") == #"[{"banner":1,"name":null,"v":2}]}"#)
    }

    @Test func `nothing else sees a second kind`() async throws {
        let test = try await counted()
        let banner = try await test.get("/v1/banners/1").text
        #expect(banner.contains(#""totals":[{"kind":"click","v":5,"#) && !banner.contains("."))
        #expect(try await !test.get("/v1/banners?totals=true").text.contains("bot"))
        let stats = #"{"from":"2024-12-12T10:00:00","to":"2024-12-12T10:10:00"}"#
        #expect(
            try await test.send(.post, "/stats/1", stats).text == #"{"stats":[{"ts":"2024-12-12T10:05:00","v":5}]}"#)
    }

    @Test func `nobody names a reserved kind, and other words are refused`() async throws {
        let test = HTTPTest()
        for (method, path, body) in [
            (HTTPRequest.Method.get, "/counter/1?kind=click.bot", nil), (.get, "/v1/pixel/1?kind=click.bot", nil),
            (.get, "/v1/series?kind=click.bot", nil), (.get, "/v1/top?kind=click.bot", nil),
            (.post, "/v1/events", #"{"banner":1,"kind":"click.bot"}"#),
            (.post, "/v1/events", #"[{"banner":1,"kind":"a.bot"}]"#),
        ] {
            #expect(try await test.send(method, path, body).status == 400, "\(path)")
        }
        #expect(test.service.isEmpty)
        #expect(try await test.get("/v1/top?traffic=all").error.hasSuffix("allowed are gross, net, invalid"))
        for path in ["/v1/series?traffic=some", "/v1/totals?traffic=", "/v1/totals?traffic=Net"] {
            let answer = try await test.get(path)
            #expect(path.hasSuffix("=") ? answer.status == 200 : answer.error.contains("gross, net, invalid, all"))
        }
    }

    @Test func `a batch says nothing of who clicked, and with --bots off nobody does`() async throws {
        let test = HTTPTest()
        try await test.send(.post, "/v1/events", #"{"banner":1}"#, headers: Self.bot)
        #expect(test.service.count(1, Kind.click.invalid(.bot)) == 0)
        var off = HTTPTest()
        var rules = TrafficJudge.Configuration()
        rules.bots = false
        off.configuration.judge = TrafficJudge(rules)
        try await off.send(.get, "/counter/1", headers: Self.bot)
        #expect(off.service.count(1) == 1 && off.service.count(1, Kind.click.invalid(.bot)) == 0)
    }
}
