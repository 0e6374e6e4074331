// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import TallyCore
import Testing

@testable import TallyServer

@Suite("A server whose clock jumps ahead") struct NodeClockTests {
    @Test func whileTheClockIsFarAheadNothingIsCountedAndTheLogKeepsItsTime() async throws {
        let fixture = NodeFixture()
        try await fixture.run { [clock = fixture.clock] node in
            let now = clock.now()
            _ = try await node.count(banner: 1)
            clock.jump(to: now.advanced(by: .seconds(30 * 365 * 86_400)))
            let routes = Routes(service: node)
            for (path, body) in [
                ("/counter/1", nil), ("/v1/beacon/1", nil), ("/v1/events", #"{"banner":1}"#),
                ("/v1/events?backfill=true", #"[{"banner":1,"ts":"2024-12-12T10:00:00Z"}]"#),
            ] {
                let refused = try await routes.send(.post, path, body)
                #expect(refused.status == 503, "\(path)")
                #expect(refused.text.contains("the server's clock says 2054-"), "\(refused.text)")
                #expect(refused.headers[.retryAfter] == "5")
            }
            let chunk = Self.chunk(at: Minute(now))
            #expect(try await routes.send(.post, "/v1/chunks", bytes: chunk.encoded()).status == 503)
            guard case .notReady(let reasons) = node.readiness(of: .ingest) else {
                Issue.record("a clock of another century is no problem")
                return
            }
            #expect(reasons.count == 1 && reasons[0].contains("--max-clock-ahead"), "\(reasons)")
            #expect(node.now == now && node.clock.ahead == .seconds(30 * 365 * 86_400))
            clock.jump(to: now)
            _ = try await node.count(banner: 1)
            #expect(try await node.total(banner: 1) == 2)
            #expect(node.readiness == .ready && node.logTime == now)
        }
    }

    @Test func anEventThatWasAdmittedBeforeTheClockJumpedKeepsItsTime() async throws {
        let fixture = NodeFixture()
        try await fixture.run { [clock = fixture.clock] node in
            let now = clock.now()
            var admitted = AdmittedEvents()
            try node.admit(EventInput(banner: BannerID(1)!), to: &admitted)
            clock.jump(to: now.advanced(by: .seconds(30 * 365 * 86_400)))
            _ = try await node.record(admitted)
            #expect(node.logTime == now)
            #expect(try await node.total(banner: 1) == 1)
        }
    }

    @Test func aStartFarAheadOfTheLogWaitsForTheClockOrTheSetting() async throws {
        var fixture = NodeFixture()
        let clock = fixture.clock
        let now = clock.now()
        try await fixture.run { node in _ = try await node.count(banner: 1) }
        clock.set(now.advanced(by: .seconds(401 * 86_400)))
        try await fixture.run { node in
            await #expect(throws: EventRejection.self) { try await node.count(banner: 1) }
            #expect(node.logTime == now)
        }
        fixture.configuration.maxClockAhead = .seconds(500 * 86_400)
        try await fixture.run { node in
            _ = try await node.count(banner: 1)
            #expect(node.readiness == .ready)
            #expect(try await node.total(banner: 1) == 2)
        }
    }

    private static func chunk(at minute: Minute) -> Chunk {
        Chunk(
            node: SampleChunks.other, sequence: 1, time: .epoch, kinds: [.click],
            deltas: [Delta(banner: BannerID(1)!, kind: 0, minute: minute, count: 1)], identified: [])
    }
}
