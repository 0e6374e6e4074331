// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import TallyCore
import Testing

@testable import TallyServer

@Suite("The routes of a server that has some of the roles")
struct RemoteRoutesTests {
    @Test("what it counts has receipts of each partition")
    func counting() async throws {
        let fixture = RemoteFixture(partitions: 1)
        try await fixture.run { node in
            let routes = Routes(service: node)
            let answer = try await routes.send(.post, "/counter/7")
            #expect(answer.status == 204)
            #expect(answer.headers[.tallyReceipt] == "memory/0@1; durable=quorum")
        }
        let several = RemoteFixture(partitions: 2)
        try await several.run { node in
            let lines = (1...9).map { #"{"banner":\#($0)}"# }.joined(separator: "\n")
            let answer = try await Routes(service: node).send(.post, "/v1/events", lines)
            #expect(
                answer.headers[.tallyReceipt]?.split(separator: ", ").map(String.init).sorted() == [
                    "memory/0@1; durable=quorum", "memory/1@1; durable=quorum",
                ])
        }
    }

    @Test(
        "what it does not do is a problem that names the role",
        arguments: [
            (HTTPRequest.Method.post, "/stats/1", "query"), (.get, "/v1/series", "query"),
            (.get, "/v1/totals", "query"),
            (.get, "/v1/top", "query"), (.get, "/v1/live", "query"), (.get, "/v1/banners/1", "query"),
            (.get, "/", "query"),
        ])
    func missing(method: HTTPRequest.Method, path: String, role: String) async throws {
        try await RemoteFixture().run { node in
            let answer = try await Routes(service: node).send(method, path, method == .post ? "{}" : nil)
            #expect(answer.status == 404)
            #expect(answer.text.contains("--roles"))
            #expect(answer.text.contains("this needs \(role)"))
            if path.hasPrefix("/v1") { #expect(answer.text.contains("urn:tally:problem:role_missing")) }
        }
    }

    @Test("banners are registered where they are, and operators are told what it does")
    func operations() async throws {
        try await RemoteFixture().run { node in
            let routes = Routes(service: node)
            #expect(try await routes.send(.put, "/v1/banners/7", #"{"name":"seven"}"#).status == 200)
            #expect(try await routes.send(.get, "/v1/banners").text.contains("seven"))
            #expect(try await routes.send(.get, "/readyz").text == "ready\n")
            let status = try await routes.send(.get, "/v1/status")
            #expect(status.text.contains(#""delivery":{"acknowledgement":"quorum","problem":null,"spooledChunks":0"#))
            #expect(status.text.contains(#""store":null"#))
            node.report(to: routes.metrics.registry)
            let metrics = try await routes.send(.get, "/metrics").text
            for name in [
                "tally_spool_bytes 0", "tally_log_away 0", "tally_log_ready 1", "tally_forwarded_chunks_total 0",
            ] {
                #expect(metrics.contains(name), "\(name)")
            }
        }
    }

    @Test("who counts no chunks knows of none, so that an import sends all of them")
    func nodes() async throws {
        try await RemoteFixture().run { node in
            let answer = try await Routes(service: node).send(.get, "/v1/nodes/00000000000000000000000000000f00")
            #expect(answer.json?["lastSequence"] as? Int == 0)
        }
    }

    @Test("a banner that is registered elsewhere is heard of")
    func refresh() async throws {
        var fixture = RemoteFixture()
        fixture.configuration.onlyRegisteredBanners = true
        fixture.configuration.flushEvery = .milliseconds(5)
        try await fixture.run { [fixture] node in
            let routes = Routes(service: node)
            #expect(try await routes.send(.post, "/counter/7").status == 404)
            try await fixture.bannerStore.save([Banner(id: BannerID(7)!, name: "seven", isRegistered: true)])
            try await eventually("it is known") { node.banner(BannerID(7)!)?.name == "seven" }
            #expect(try await routes.send(.post, "/counter/7").status == 204)
        }
    }

    @Test("a server that is asked to count, and has no such role, says where to send it")
    func noIngest() async throws {
        let node = RemoteNode(
            log: "memory://brokers", clock: LogClock(ManualClock(), logTime: .epoch, maximumAhead: .seconds(600)),
            banners: BannerRegistry(directory: BannerDirectory(), store: MemoryBannerStore()),
            refreshEvery: .seconds(60),
            logger: RemoteFixture.logger, ingest: nil, reading: nil, roles: [.query])
        let routes = Routes(service: node)
        for (method, path) in [
            (HTTPRequest.Method.get, "/counter/1"), (.get, "/v1/pixel/1"), (.post, "/v1/beacon/1"),
            (.post, "/v1/chunks"),
        ] {
            let answer = try await routes.send(method, path, method == .post ? "{}" : nil)
            #expect(answer.status == 404)
            #expect(answer.text.contains("the roles query (--roles), and this needs ingest"))
        }
        let problem = try await routes.send(.post, "/v1/events", "{}")
        #expect(problem.text.contains("Send what is to be counted to a server with the role ingest."))
    }
}
