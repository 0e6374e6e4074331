// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyServer

struct BannerChangeTests {
    private let log = RecordedLog()
    private let store = MemoryBannerStore()

    private func registry(_ banners: [Banner] = []) -> BannerRegistry {
        BannerRegistry(directory: BannerDirectory(banners: banners), store: store, logger: log.logger)
    }

    @Test func `each change of a banner is one line with what was before`() async throws {
        let registry = registry([Banner(id: BannerID(9)!)])
        let seven = BannerID(7)!
        _ = try await registry.register(
            Banner(id: seven, name: "/a", target: "https://a.example/", tags: ["x", "y"], isRegistered: true))
        _ = try await registry.register(
            Banner(id: seven, name: "/a", target: "https://evil.example/\n", tags: ["x", "y"], isRegistered: true))
        // The same once more, and names that are known, change nothing.
        _ = try await registry.register(
            Banner(id: seven, name: "/a", target: "https://evil.example/\n", tags: ["x", "y"], isRegistered: true))
        _ = try await registry.register(names: ["/a", "/b"])
        _ = try await registry.unregister(seven)
        _ = try await registry.unregister(BannerID(9)!)
        #expect(
            log.messages == [
                #"notice a banner was registered banner=7 name="/a" tags="x y" target="https://a.example/""#,
                #"notice a banner was changed banner=7 target="https://evil.example/\u{a}" target_before="https://a.example/""#,
                #"notice a banner was registered banner=8 name="/b""#,
                #"notice a banner was unregistered banner=7 name="" name_before="/a" tags="" tags_before="x y" target="" "#
                    + #"target_before="https://evil.example/\u{a}""#,
            ])
    }

    @Test func `what is refused is no change`() async throws {
        let registry = registry()
        _ = try await registry.register(names: ["/a"])
        await #expect(throws: RegistrationError.nameTaken("/a", by: BannerID(1)!)) {
            try await registry.register(Banner(id: BannerID(2)!, name: "/a", isRegistered: true))
        }
        #expect(log.messages.count == 1)
    }
}
