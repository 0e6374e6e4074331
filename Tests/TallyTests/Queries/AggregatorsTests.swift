// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import TallyBackends
@testable import TallyCore
@testable import TallyServer

@Suite("Servers that count, asked over HTTP", .timeLimit(.minutes(5)))
struct AggregatorsTests {
    private func view(_ partition: Int, banner: Int64, count: Int64) -> LogView {
        let key = RowKey(banner: BannerID(banner)!, kind: .click, start: Minute(sinceEpoch: 28_000_000)!)
        return LogView(
            log: LogID("kafka:clicks/\(partition)")!, partition: partition, position: LogOffset(9),
            time: Timestamp(milliseconds: 5),
            rows: [UnflushedRow(key: key, content: .sum(.minute(count), upTo: LogOffset(9)))])
    }

    private func withServer<Value: Sendable>(
        _ views: [LogView], _ body: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> Value {
        let test = HTTPTest()
        test.service.set(\.views, views)
        return try await test.application.test(.live) { client in try await body(client.port!) }
    }

    @Test("all are asked, and each tells what it has in the range")
    func all() async throws {
        let views = [view(0, banner: 1, count: 3), view(1, banner: 2, count: 4)]
        try await withServer([views[0]]) { first in
            try await withServer([views[1]]) { second in
                let aggregators = Aggregators(
                    [("127.0.0.1", first), ("localhost", second)], layout: .minute, patience: .seconds(20))
                let answer = await aggregators.unflushed(in: .everything)
                #expect(answer.views.sorted { $0.partition < $1.partition } == views)
                #expect(answer.problems.isEmpty || answer.problems.allSatisfy { $0.hasPrefix("[::1]") })
                let range = RowRange(banners: [BannerID(2)!], minutes: .first ... .last)
                let part = await aggregators.unflushed(in: range)
                #expect(part.views.flatMap(\.rows).map(\.key.banner) == [BannerID(2)!])
            }
        }
    }

    @Test("one that can't be reached is named, and the others answer")
    func oneAway() async throws {
        let dead = try await withServer([]) { $0 }
        try await withServer([view(0, banner: 1, count: 3)]) { port in
            let aggregators = Aggregators(
                [("127.0.0.1", port), ("127.0.0.1", dead), ("nowhere.invalid", 1)], layout: .minute,
                patience: .seconds(20))
            let answer = await aggregators.unflushed(in: .everything)
            #expect(answer.views.count == 1)
            #expect(answer.problems.count == 2)
            #expect(answer.problems.contains { $0.hasPrefix("127.0.0.1:\(dead) ") }, "\(answer.problems)")
            #expect(answer.problems.contains("nowhere.invalid:1 has no address"), "\(answer.problems)")
        }
    }

    @Test("one that accepts a connection and says nothing takes no longer than the patience")
    func silent() async throws {
        let silent = try SilentServer()
        let aggregators = Aggregators([("127.0.0.1", silent.port)], layout: .minute, patience: .milliseconds(300))
        let answer = await aggregators.unflushed(in: .everything)
        #expect(answer.problems == ["127.0.0.1:\(silent.port) did not answer within 0.3 s"])
    }

    @Test("rows of another layout are a problem with a name")
    func otherLayout() async throws {
        try await withServer([view(0, banner: 1, count: 3)]) { port in
            let aggregators = Aggregators([("127.0.0.1", port)], layout: .hour, patience: .seconds(20))
            let answer = await aggregators.unflushed(in: .everything)
            #expect(answer.problems == ["127.0.0.1:\(port) counts in another layout (--layout)"])
        }
    }

    @Test("addresses with colons are written in brackets")
    func addresses() {
        #expect("\(HostName(host: "::1", port: 80))" == "[::1]:80")
        #expect("\(HostName(host: "[::1]", port: 80))" == "[::1]:80")
        #expect("\(HostName(host: "a.example", port: 80))" == "a.example:80")
    }
}
