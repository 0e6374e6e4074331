// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import TallyCore
import Testing

@testable import TallyServer

@Suite("What is let in, and what a refusal leaves behind") struct AdmissionTests {
    private static func chunk(minute: Minute, banners: ClosedRange<Int64> = 1...1, kinds: [Kind] = [.click]) -> Chunk {
        let deltas = banners.map { Delta(banner: BannerID($0)!, kind: 0, minute: minute, count: 1) }
        return Chunk(
            node: SampleChunks.other, sequence: 1, time: .epoch, kinds: kinds, deltas: deltas, identified: [])
    }

    // MARK: Refusals

    @Test func `an array that breaks off uses up no banner and no kind`() async throws {
        try await NodeFixture().run { node in
            let answer = try await Routes(service: node).send(
                .post, "/v1/events", #"[{"banner":1,"kind":"a"},{"banner":2,"kind":"b"}"#)
            #expect(answer.status == 400)
            #expect(node.bannerCount == 0)
            for number in 2..<Limits.kinds { _ = try await node.count(banner: 1, kind: Kind("kind_\(number)")!) }
        }
    }

    @Test func `an event of a kind too many uses up no banner`() async throws {
        try await NodeFixture().run { node in
            for number in 2..<Limits.kinds { _ = try await node.count(banner: 1, kind: Kind("kind_\(number)")!) }
            let refused = try await Routes(service: node).send(.post, "/counter/2?kind=kind")
            #expect(refused.status == 403)
            #expect(node.bannerCount == 1)
        }
    }

    @Test func `an event that the log does not get uses up no banner`() async throws {
        let node = try await NodeFixture().run { $0 }
        let refused = try await Routes(service: node).send(.post, "/counter/2")
        #expect(refused.status == 503)
        #expect(node.bannerCount == 0)
    }

    @Test func `a chunk of more banners than fit uses up none`() async throws {
        var fixture = NodeFixture()
        fixture.configuration.bannersLimit = 3
        try await fixture.run { [now = Minute(fixture.clock.now())] node in
            let routes = Routes(service: node)
            let tooMany = Self.chunk(minute: now, banners: 1...4)
            let tooManyAnswer = try await routes.send(.post, "/v1/chunks", bytes: tooMany.encoded())
            #expect(tooManyAnswer.status == 403)
            #expect(node.bannerCount == 0)
            let fits = Self.chunk(minute: now, banners: 1...3)
            let fitsAnswer = try await routes.send(.post, "/v1/chunks", bytes: fits.encoded())
            #expect(fitsAnswer.status == 200)
            #expect(node.bannerCount == 3)
        }
    }

    @Test func `known nodes go on when there are as many as may be, after a restart too`() async throws {
        var fixture = NodeFixture()
        fixture.configuration.nodesLimit = 2
        let now = Minute(fixture.clock.now())
        @Sendable func send(_ node: UInt128, _ sequence: UInt64, to routes: Routes<CountingNode>) async throws -> Int {
            var builder = ChunkBuilder()
            _ = builder.add(CountedEvent(banner: BannerID(7)!, kind: .click, minute: now, count: 1))
            let chunk = builder.chunk(node: NodeID(bits: node), sequence: sequence, time: .epoch)
            return try await routes.send(.post, "/v1/chunks", bytes: chunk.encoded()).status
        }
        for _ in 1...2 {
            try await fixture.run { node in
                let routes = Routes(service: node)
                // A third node and a gap are refused; a sequence that is next, and a repeated chunk, are not.
                let chunks: [(node: UInt128, sequence: UInt64)] = [
                    (11, 1), (12, 1), (13, 1), (12, 9), (12, 2), (12, 2),
                ]
                var statuses: [Int] = []
                for chunk in chunks { statuses.append(try await send(chunk.node, chunk.sequence, to: routes)) }
                #expect(statuses == [200, 200, 403, 403, 200, 200])
                #expect(routes.refusals("too_many_nodes") == 2)
                let click = try await routes.send(.get, "/counter/7")
                #expect(click.status == 204)
                await node.keeper.flush()
            }
        }
    }

    @Test func `of one request as many new banners are let in as fit`() async throws {
        var fixture = NodeFixture()
        fixture.configuration.bannersLimit = 3
        try await fixture.run { node in
            let events = [1, 2, 1, 3, 4, 2, 5].map { #"{"banner":\#($0)}"# }.joined(separator: "\n")
            let answer = try await Routes(service: node).send(.post, "/v1/events", events)
            #expect(answer.json?["accepted"] as? Int == 5)
            #expect(answer.json?["rejectedCount"] as? Int == 2)
            #expect(node.banners(after: nil, limit: 10).map(\.id.value) == [1, 2, 3])
        }
    }

    // MARK: Kinds

    @Test func `only listed kinds are counted, by every way in`() async throws {
        var fixture = NodeFixture()
        fixture.configuration.kinds = .listed([Kind("view")!])
        try await fixture.run { [now = Minute(fixture.clock.now())] node in
            let routes = Routes(service: node)
            for kind in ["click", "impression", "view"] {
                #expect(try await routes.send(.post, "/counter/1?kind=\(kind)").status == 204)
            }
            for path in ["/counter/1?kind=x", "/v1/beacon/1?kind=x"] {
                let refused = try await routes.send(.post, path)
                #expect(refused.status == 403)
                #expect(refused.text.contains("allowed are click, impression, view (--kinds)"), "\(refused.text)")
            }
            let batch = #"[{"banner":1,"kind":"x"},{"banner":1,"kind":"view"}]"#
            let partly = try await routes.send(.post, "/v1/events", batch)
            #expect(partly.json?["accepted"] as? Int == 1 && partly.json?["rejectedCount"] as? Int == 1)
            let chunk = Self.chunk(minute: now, kinds: [Kind("x")!])
            #expect(try await routes.send(.post, "/v1/chunks", bytes: chunk.encoded()).status == 403)
            #expect(try await node.total(banner: 1) == 4)
        }
    }

    @Test func `kinds that are no longer listed take no room after a restart`() async throws {
        var fixture = NodeFixture()
        try await fixture.run { node in
            for number in 2..<Limits.kinds { _ = try await node.count(banner: 1, kind: Kind("kind_\(number)")!) }
        }
        fixture.configuration.kinds = .listed([Kind("purchase")!])
        try await fixture.run { node in
            _ = try await node.count(banner: 1, kind: Kind("purchase")!)
            await #expect(throws: EventRejection.self) { try await node.count(banner: 1, kind: Kind("kind_7")!) }
            #expect(try await node.total(banner: 1) == Int64(Limits.kinds - 1))
        }
    }

    // MARK: Looking

    @Test(arguments: ["/counter/7", "/v1/pixel/7", "/v1/click/7"])
    func `HEAD says of a banner what GET would say, and leaves nothing`(path: String) async throws {
        var fixture = NodeFixture()
        fixture.configuration.onlyRegisteredBanners = true
        try await fixture.run { node in
            let routes = Routes(service: node)
            let unknown = try await routes.send(.head, path)
            #expect(unknown.status == 404)
            _ = try await node.register(
                Banner(id: BannerID(7)!, target: "https://example.com/", isRegistered: true))
            let query = path + "?id=" + String(repeating: "x", count: 300)
            let long = try await routes.send(.head, query)
            #expect(long.status == 400)
            let longToo = try await routes.send(.get, query)
            #expect(longToo.status == 400)
            let looked = try await routes.send(.head, path)
            let counted = try await routes.send(.get, path)
            #expect(looked.status == counted.status)
        }
    }

    @Test func `looking at a banner does not make it known`() async throws {
        try await NodeFixture().run { node in
            let looked = try await Routes(service: node).send(.head, "/counter/7")
            #expect(looked.status == 204)
            #expect(node.bannerCount == 0)
        }
    }

    // MARK: Chunks

    @Test func `a chunk with minutes that are still to come is refused`() async throws {
        let fixture = NodeFixture()
        try await fixture.run { [now = Minute(fixture.clock.now())] node in
            let routes = Routes(service: node)
            let far = Self.chunk(minute: .last)
            let answer = try await routes.send(.post, "/v1/chunks", bytes: far.encoded())
            #expect(answer.status == 400)
            #expect(answer.error.contains("in the future"))
            #expect(throws: EventRejection.inFuture(latest: now.advanced(by: 1))) {
                try node.admit(Self.chunk(minute: now.advanced(by: 2)))
            }
            #expect(throws: Never.self) { try node.admit(Self.chunk(minute: now.advanced(by: 1))) }
        }
    }

    @Test func `entries of a chunk that is not counted are refused events`() async throws {
        let fixture = NodeFixture()
        let node = try await fixture.run { $0 }
        let chunk = Self.chunk(minute: Minute(fixture.clock.now()), banners: 1...5)
        await #expect(throws: IngestError.closing) { try await node.append(chunk) }
        #expect(node.refusedEvents == 5)
    }
}
