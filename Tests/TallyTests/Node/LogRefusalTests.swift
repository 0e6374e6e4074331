// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyServer

/// A log that takes nothing for a while, as on a full disk.
struct LogRefusalTests {
    @Test func `a server is not ready while its log takes nothing, and finds out by itself when it does again`()
        async throws
    {
        let log = GatedLog(isOpen: true)
        var fixture = NodeFixture(log: log)
        let messages = RecordedLog()
        fixture.logger = messages.logger
        try await fixture.run { node in
            _ = try await node.count(banner: 1)
            #expect(node.readiness == .ready)
            await log.fail(.refused("no space left"))
            for _ in 1...3 {
                await #expect(throws: IngestError.self) { try await node.count(banner: 1) }
            }
            #expect(node.readiness == .notReady(reasons: ["no space left"]))
            #expect(node.readiness(of: .query) == .counting(butNot: "no space left"))
            // More than one round of the watch; no event comes from now on.
            while messages.messages.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
            await log.fail(nil)
            while node.readiness != .ready { try await Task.sleep(for: .milliseconds(20)) }
            #expect(try await node.total(banner: 1) == 1, "a probe counts nothing")
            while messages.messages.count < 2 { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(messages.messages == ["error no space left", "notice the log takes events again"])
    }
}
