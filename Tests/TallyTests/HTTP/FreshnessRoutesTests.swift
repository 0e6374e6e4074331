// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Testing

@testable import TallyCore
@testable import TallyServer

/// Answers of a server that knows that it lacks something.
struct FreshnessRoutesTests {
    private let test = HTTPTest()
    private let range = #"{"from":"2024-12-12T10:00:00","to":"2024-12-12T10:05:00"}"#

    private func fallBehind() {
        test.service.set(
            \.behind,
            [
                Freshness.Behind(partition: 3, reason: "nobody counts it"),
                Freshness.Behind(partition: 7, reason: #"it is being "read""#),
            ])
    }

    @Test func `partitions that are behind are named in a header, and with their reasons where the form is ours`()
        async throws
    {
        fallBehind()
        let json =
            #""behind":[{"partition":3,"reason":"nobody counts it"},{"partition":7,"reason":"it is being \"read\""}]"#
        for uri in ["/v1/series?from=2024-12-12T10:00:00&to=2024-12-12T10:05:00", "/v1/totals", "/v1/top"] {
            let answer = try await test.get(uri)
            #expect(answer.status == 200)
            #expect(answer.headers[.tallyBehind] == "3, 7")
            #expect(answer.text.contains(json), "\(answer.text)")
        }
        for uri in ["/stats", "/stats/1"] {
            let answer = try await test.send(.post, uri, range)
            #expect(answer.headers[.tallyBehind] == "3, 7")
            #expect(answer.text == #"{"stats":[]}"#)
        }
        let lines = try await test.get("/v1/series?from=2024-12-12T10:00:00&to=2024-12-12T10:05:00&format=csv")
        #expect(lines.headers[.tallyBehind] == "3, 7")
    }

    @Test func `an answer that lacks nothing says nothing of it`() async throws {
        for uri in ["/v1/series?from=2024-12-12T10:00:00&to=2024-12-12T10:05:00", "/v1/totals", "/v1/top"] {
            let answer = try await test.get(uri)
            #expect(answer.headers[.tallyBehind] == nil)
            #expect(!answer.text.contains("behind"))
        }
    }

    @Test func `a server that answers queries is told what is not stored, within its range`() async throws {
        let log = LogID("kafka:clicks/3")!
        func row(_ banner: Int64) -> UnflushedRow {
            let key = RowKey(banner: BannerID(banner)!, kind: .click, start: Minute(sinceEpoch: 28_000_000)!)
            return UnflushedRow(key: key, content: .sum(.minute(banner), upTo: LogOffset(9)))
        }
        var view = LogView(
            log: log, partition: 3, position: LogOffset(9), time: Timestamp(milliseconds: 5), behind: "it reads",
            rows: [row(1), row(2)])
        test.service.set(\.views, [view])
        let question = RowRange(banners: [BannerID(2)!], minutes: .first ... .last)
        let answer = try await test.send(.post, "/v1/unflushed", bytes: question.encoded())
        #expect(answer.type == "application/octet-stream")
        view.rows = [row(2)]
        #expect(try LogView.decode(answer.bytes, layout: .minute) == [view])
        let bad = try await test.send(.post, "/v1/unflushed", bytes: [9, 9])
        #expect(bad.status == 400)
        #expect(bad.error.contains("version 1"))
    }
}
