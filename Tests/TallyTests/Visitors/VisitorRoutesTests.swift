// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import TallyCore
import Testing

@testable import TallyServer

@Suite("Asking for unique visitors")
struct VisitorRoutesTests {
    /// 2024-12-12T10:05:00Z
    private func test() -> HTTPTest {
        var test = HTTPTest()
        var rules = TrafficJudge.Configuration()
        rules.visitors = true
        test.configuration.judge = TrafficJudge(rules)
        return test
    }

    private func come(_ test: HTTPTest, _ visitors: ClosedRange<Int>, to path: String) async throws {
        for visitor in visitors {
            let headers: HTTPFields = [.userAgent: "browser \(visitor)"]
            let answer = try await test.send(.get, path, headers: headers)
            #expect(answer.status < 400)
        }
    }

    @Test func `each visitor once a day, whatever he does there`() async throws {
        let test = test()
        try await come(test, 1...20, to: "/counter/1")
        try await come(test, 1...25, to: "/v1/pixel/1")
        try await come(test, 11...13, to: "/counter/2?id=x")
        let answer = try await test.get("/v1/visitors?banner=2&banner=1&banner=3")
        let form =
            /{"from":"2024-12-06","to":"2024-12-12","standardError":0.0325,"visitors":\[{"banner":1,"day":"2024-12-12","v":(\d+)},{"banner":2,"day":"2024-12-12","v":(\d+)}\]}/
        let match = try #require(try form.wholeMatch(in: answer.text), "\(answer.text)")
        // Some may share a register.
        #expect((18...26).contains(Int(match.1) ?? 0))
        #expect((1...3).contains(Int(match.2) ?? 0))
        let before = try await test.get("/v1/visitors?banner=1&from=2024-12-01&to=2024-12-12")
        #expect(before.text.contains(#""to":"2024-12-11""#) && before.text.hasSuffix(#""visitors":[]}"#))
    }

    @Test func `programs are nobody's visitors, and without --visitors nobody is`() async throws {
        let test = test()
        for _ in 0..<3 {
            _ = try await test.send(.get, "/counter/1", headers: [.userAgent: "Googlebot/2.1"])
        }
        #expect(test.service.count(1) == 3)
        #expect(try await test.get("/v1/visitors?banner=1").text.hasSuffix(#""visitors":[]}"#))
        let off = HTTPTest()
        try await come(off, 1...3, to: "/counter/1")
        #expect(off.service.count(1) == 3)
        #expect(try await off.get("/v1/visitors?banner=1").text.hasSuffix(#""visitors":[]}"#))
    }

    @Test func `what can't be answered is refused, and says what can`() async throws {
        let test = test()
        for (query, words) in [
            ("", "banner is missing"), ("banner=x", "the banner id is"), ("banner=1&kind=click", "banner, from, to"),
            ("banner=1&from=2024-12-12&to=2024-12-12", "does not lie behind"),
            ("banner=1&from=2020-01-01", "allowed are 1000 pairs"), ("banner=1&from=yesterday", "from is"),
        ] {
            let answer = try await test.get("/v1/visitors?\(query)")
            #expect(answer.status == 400 && answer.error.contains(words), "\(query): \(answer.text)")
        }
        test.service.set(\.storeError, .unavailable("the store is away"))
        #expect(try await test.get("/v1/visitors?banner=1").status == 503)
    }
}
