// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyServer

/// Several single servers, each with a log of its own, over one store.
struct SharedStoreTests {
    @Test func `a name that one server has registered is known to the other, and no id is given twice`() async throws {
        let banners = MemoryBannerStore()
        let first = NodeFixture(log: MemoryLog(id: LogID("first")!), bannerStore: banners)
        let second = NodeFixture(log: MemoryLog(id: LogID("second")!), bannerStore: banners, store: first.store)
        try await first.run { one in
            try await second.run { other in
                for node in [one, other] {
                    _ = try await node.count(banner: 1)
                    await node.keeper.flush()
                }
                // The first one hears of the other log at its next flush.
                await one.keeper.flush()
                let a = try await one.register(names: ["/a"])[0]
                let b = try await other.register(names: ["/b"])[0]
                #expect(a.id != b.id)
                #expect(try await other.register(names: ["/a"])[0] == a)
                #expect(try await one.register(names: ["/b"])[0] == b)
                await #expect(throws: RegistrationError.nameTaken("/b", by: b.id)) {
                    try await one.register(Banner(id: BannerID(100)!, name: "/b", isRegistered: true))
                }
                for node in [one, other] {
                    guard case .counting(let problem) = node.readiness else {
                        Issue.record("\(node.readiness)")
                        return
                    }
                    #expect(problem.contains("an event id counts once for each"), "\(problem)")
                    #expect(try await node.total(banner: 1) == 2)
                }
            }
        }
    }
}
