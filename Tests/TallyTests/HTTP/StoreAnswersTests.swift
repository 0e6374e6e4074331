// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import TallyBackends
import TallyCore
import Testing

@testable import TallyServer

/// The same requests over every store: the answers are the same to the byte.
@Suite("Every store gives the same answers")
struct StoreAnswersTests {
    @Test("SQLite", arguments: Layout.allCases)
    func sqlite(layout: Layout) async throws {
        try await StoreSubjects.sqlite(layout).use { try await StoreAnswers.compare($0) }
    }

    @Test("ClickHouse", arguments: ClickHouseSubject.all)
    func clickHouse(_ subject: ClickHouseSubject) async throws {
        try await subject.withStore { try await StoreAnswers.compare($0) }
    }

    #if PostgreSQL
    @Test("PostgreSQL", .needsPostgreSQL, arguments: Layout.allCases)
    func postgreSQL(layout: Layout) async throws {
        try await StoreSubjects.postgreSQL(layout).use { try await StoreAnswers.compare($0) }
    }
    #endif
}

/// A day in the life of a server, as its answers tell it.
enum StoreAnswers {
    /// - Parameter store: new and empty.
    static func compare(_ store: any TallyBackends.Store) async throws {
        let expected = try await answers(over: MemoryStore(layout: .minute), banners: MemoryBannerStore())
        let found = try await answers(over: store, banners: store)
        #expect(found.count == expected.count)
        for (found, expected) in zip(found, expected) { #expect(found == expected) }
    }

    private static func answers(over store: any CountStore, banners: any BannerStore) async throws -> [String] {
        var fixture = NodeFixture(layout: store.layout, bannerStore: banners)
        fixture.otherStore = store
        var answers: [String] = []
        // What is only in memory, what is only in the store, and some of both.
        for round in 0..<3 {
            answers += try await fixture.run { node in
                let routes = Routes(service: node)
                var answers = try await ask(routes, writes(round))
                answers += try await ask(routes, questions)
                await node.keeper.flush()
                answers += try await ask(routes, questions)
                answers += try await ask(routes, writes(round + 10))
                return answers + (try await ask(routes, questions))
            }
        }
        return answers
    }

    private struct Request: Sendable {
        var path: String
        var body: String?
        var isPut = false
    }

    private static func ask(_ routes: Routes<CountingNode>, _ requests: [Request]) async throws -> [String] {
        var answers: [String] = []
        for request in requests {
            let method: HTTPRequest.Method = request.isPut ? .put : request.body == nil ? .get : .post
            let answer = try await routes.send(method, request.path, request.body)
            answers.append("\(method) \(request.path)\n\(answer.status) \(answer.text)")
        }
        return answers
    }

    /// The clock of the fixture says 2024-12-12T10:20.
    private static func writes(_ round: Int) -> [Request] {
        let lines = (0..<40).map { index in
            let banner = index % 5 + 1
            let kind = ["click", "impression", "add_to_cart_2"][index % 3]
            let minute = 10 + (index * 7 + round) % 50
            let id = index % 4 == 0 ? #","id":"event-\#(index)""# : ""
            return
                #"{"banner":\#(banner),"kind":"\#(kind)","ts":"2024-12-12T09:\#(minute):00Z","n":\#(index + 1)\#(id)}"#
        }
        let largest = #"{"banner":9223372036854775807,"ts":"1970-01-01T00:00:00Z","n":1000000000}"#
        return [
            Request(path: "/v1/events?backfill=true", body: (lines + [largest]).joined(separator: "\n")),
            Request(path: "/counter/3"), Request(path: "/counter/4?kind=impression&id=same"),
            Request(
                path: "/v1/banners/\(round + 1)", body: #"{"name":"/page \#(round) ü","tags":["a","b"]}"#, isPut: true),
        ]
    }

    private static let questions: [Request] = [
        Request(path: "/stats/1", body: #"{"from":"2024-12-12T09:00:00","to":"2024-12-12T10:59:00"}"#),
        Request(path: "/stats/3", body: #"{"tsFrom":"2024-12-12T09:15:30+03:00","tsTo":"2024-12-12T13:59:00+03:00"}"#),
        Request(path: "/stats", body: #"{"from":"2024-12-12T09:30:00","to":"2024-12-12T09:45:00"}"#),
        Request(path: "/stats/99", body: #"{"from":"2024-12-12T09:30:00","to":"2024-12-12T09:45:00"}"#),
        Request(path: "/v1/series?from=2024-12-12T09:00:00Z&to=2024-12-12T11:00:00Z&step=5m&fill=zero&banner=2"),
        Request(
            path: "/v1/series?from=2024-12-12T09:00:00Z&to=2024-12-12T11:00:00Z&step=1h&format=csv&tz=Asia/Kathmandu"),
        Request(path: "/v1/series?kind=add_to_cart_2&from=2024-12-12T09:10:00Z&to=2024-12-12T09:50:00Z&format=ndjson"),
        Request(path: "/v1/top?window=2h&limit=3"), Request(path: "/v1/top?kind=impression"),
        Request(path: "/v1/totals"), Request(path: "/v1/totals?from=2024-12-12T09:12:00Z&to=2024-12-12T09:13:00Z"),
        Request(path: "/v1/banners?limit=3"), Request(path: "/v1/banners/1"),
        Request(path: "/v1/banners/9223372036854775807"),
    ]
}
