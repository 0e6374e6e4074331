// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import TallyCore
import Testing

@testable import TallyServer

/// The routes over the whole server behind them: its journal's rules, its aggregator, its store.
struct RoutesOverNodeTests {
    @Test(arguments: Layout.allCases)
    func `the example gives these bytes, before a flush and after a restart`(layout: Layout) async throws {
        let fixture = NodeFixture(layout: layout)
        let range = #"{"from":"2024-12-12T10:00:00","to":"2024-12-12T10:05:00"}"#
        let expected =
            #"{"stats":[{"ts":"2024-12-12T10:00:00","v":4},{"ts":"2024-12-12T10:01:00","v":2},"#
            + #"{"ts":"2024-12-12T10:03:00","v":1},{"ts":"2024-12-12T10:04:00","v":1}]}"#
        try await fixture.run { node in
            let routes = Routes(service: node)
            let lines = StatsRoutesTests.example.map { #"{"banner":1,"ts":"2024-12-12T\#($0)"}"# }.joined(
                separator: "\n")
            let counted = try await routes.send(.post, "/v1/events?backfill=true", lines)
            #expect(counted.text == #"{"accepted":8,"rejected":[],"rejectedCount":0}"#)
            #expect(counted.headers[.tallyReceipt] == "memory@1; durable=memory")
            #expect(try await routes.send(.post, "/stats/1", range).text == expected)
        }
        try await fixture.run { node in
            let answer = try await Routes(service: node).send(.post, "/stats/1", range)
            #expect(answer.text == expected)
        }
    }

    @Test func `what is answered is in the next answer of every kind`() async throws {
        try await NodeFixture().run { node in
            let routes = Routes(service: node)
            for _ in 0..<3 { #expect(try await routes.send(.post, "/counter/7?id=once").status == 204) }
            #expect(try await routes.send(.get, "/v1/pixel/7").status == 200)
            let totals = try await routes.send(.get, "/v1/totals").json
            #expect(totals?["total"] as? Int == 2)
            #expect(totals?["banners"] as? Int == 1)
            #expect(
                try await routes.send(.get, "/v1/top?kind=impression").text.contains(
                    #""top":[{"banner":7,"name":null,"v":1}]"#))
            let series = try await routes.send(.get, "/v1/series?format=ndjson").text.split(separator: "\n")
            #expect(series.count == 2)
            #expect(try await routes.send(.get, "/v1/banners/7").text.contains(#""totals":[{"kind":"click","v":1,"#))
        }
    }

    @Test func `bad events are refused by the node's own window`() async throws {
        try await NodeFixture().run { node in
            let routes = Routes(service: node)
            let old = try await routes.send(.post, "/v1/events", #"{"banner":1,"ts":"2020-01-01T00:00:00Z"}"#)
            #expect(old.status == 400 && old.text.contains("too old"))
            let future = try await routes.send(
                .post, "/v1/events?backfill=true", #"{"banner":1,"ts":"2030-01-01T00:00:00Z"}"#)
            #expect(future.status == 400 && future.text.contains("in the future"))
            #expect(try await routes.send(.post, "/counter/1?id=" + String(repeating: "x", count: 300)).status == 400)
            #expect(try await routes.send(.get, "/v1/totals").json?["total"] as? Int == 0)
        }
    }

    @Test func `a foreign chunk counts once, also after a restart`() async throws {
        let fixture = NodeFixture()
        var builder = ChunkBuilder()
        let fits = builder.add(
            CountedEvent(banner: BannerID(5)!, kind: .click, minute: Minute(sinceEpoch: 28_000_000)!, count: 2))
        #expect(fits)
        let bytes = builder.chunk(node: NodeID(bits: 0xF00), sequence: 1, time: .epoch).encoded()
        for round in 0..<2 {
            try await fixture.run { node in
                let routes = Routes(service: node)
                let answer = try await routes.send(.post, "/v1/chunks", bytes: bytes)
                #expect(answer.json?["duplicate"] as? Bool == (round == 1))
                #expect(
                    try await routes.send(.get, "/v1/nodes/00000000000000000000000000000f00").json?["lastSequence"]
                        as? Int == 1)
                #expect(try await routes.send(.get, "/v1/totals").json?["total"] as? Int == 2)
            }
        }
    }

    @Test func `a store that is away is a 503 for reading, and counting goes on`() async throws {
        let fixture = NodeFixture()
        try await fixture.run { node in
            let routes = Routes(service: node)
            fixture.store.outage = .unavailable("the store is away")
            let answer = try await routes.send(.post, "/stats/1", #"{"from":1733997600,"to":1733997600}"#)
            #expect(answer.status == 503)
            #expect(answer.text == #"{"error":"the store is away"}"#)
            #expect(try await routes.send(.post, "/counter/1").status == 204)
            fixture.store.outage = nil
        }
    }
}
