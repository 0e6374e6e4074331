// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import TallyCore
import Testing

@testable import TallyServer

struct StatusRoutesTests {
    @Test func `tells where the log and the store are`() async throws {
        let fixture = NodeFixture()
        try await fixture.run { node in
            let routes = Routes(service: node)
            for _ in 0..<3 { _ = try await node.count(banner: 1, id: "once") }
            let before = try #require(try await routes.get("/v1/status").json)
            let log = try #require(before["log"] as? [String: Any])
            #expect(log["id"] as? String == "memory" && log["problem"] is NSNull)
            #expect(log["position"] as? Int == 3 && log["stored"] as? Int == 0 && log["unflushed"] as? Int == 3)
            #expect(log["time"] as? String == "2024-12-12T10:20:00Z")
            let events = try #require(before["events"] as? [String: Int])
            #expect(events["counted"] == 1 && events["duplicates"] == 2 && events["refused"] == 0)
            #expect((before["store"] as? [String: Any])?["lastFlush"] is NSNull)
            #expect(before["banners"] as? Int == 1 && before["streams"] as? Int == 0)

            fixture.clock.advance(by: .seconds(5))
            await node.keeper.flush()
            let after = try #require(try await routes.get("/v1/status").json)
            #expect((after["log"] as? [String: Any])?["stored"] as? Int == 3)
            let store = try #require(after["store"] as? [String: Any])
            #expect(store["flushes"] as? Int == 1 && store["rowsWritten"] as? Int == 1)
            #expect(store["lastFlush"] as? String == "2024-12-12T10:20:05Z")
        }
    }

    @Test func `tells what is wrong, and what was refused and why`() async throws {
        let test = HTTPTest()
        test.service.set(\.readiness, .notReady(reasons: ["the journal failed"]))
        try await test.send(.post, "/counter/0")
        let status = try #require(try await test.get("/v1/status").json)
        #expect(status["ready"] as? Bool == false)
        #expect(status["problems"] as? [String] == ["the journal failed"])
        let refusals = try #require(status["refusals"] as? [[String: Any]])
        let counted = refusals.filter { $0["v"] as? Int == 1 }.map { $0["reason"] as? String }
        #expect(counted == ["bad_banner_id"])
        #expect(refusals.count > 1, "the usual reasons are there before they happen")
        #expect(try await test.get("/v1/status?x=1").status == 400)
    }
}
