// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyServer

@Suite("A server before remote logs whose clock jumps ahead") struct RemoteClockTests {
    @Test("lets nothing in, says why, and goes on when the clock is right")
    func jump() async throws {
        let fixture = RemoteFixture()
        try await fixture.run { [clock = fixture.clock] node in
            let now = clock.now()
            _ = try await node.count([1])
            clock.jump(to: now.advanced(by: .seconds(30 * 365 * 86_400)))
            await #expect(throws: EventRejection.self) { try await node.count([1]) }
            guard case .notReady(let reasons) = node.readiness(of: .ingest) else {
                Issue.record("a clock of another century is no problem")
                return
            }
            #expect(reasons.count == 1 && reasons[0].contains("--max-clock-ahead"), "\(reasons)")
            clock.jump(to: now)
            _ = try await node.count([1])
            #expect(node.readiness(of: .ingest) == .ready)
            #expect(await fixture.logs.lastTime() == now)
        }
    }

    @Test("after a start far ahead of the last chunk in any partition")
    func start() async throws {
        let fixture = RemoteFixture()
        let now = fixture.clock.now()
        #expect(await fixture.logs.lastTime() == nil)
        _ = try await fixture.run { node in try await node.count([1]) }
        fixture.clock.set(now.advanced(by: .seconds(401 * 86_400)))
        try await fixture.run(process: 0xB_0000) { node -> Void in
            await #expect(throws: EventRejection.self) { try await node.count([1]) }
        }
        #expect(await fixture.logs.lastTime() == now)
    }
}
