// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOHTTP1
import Synchronization
import TallyCore
import Testing

@testable import TallyServer

/// The stream over a node: what is counted, flushed, forgotten and killed is told all the same.
struct LiveStreamTests {
    private static let banner = BannerID(7)!
    private static let topic = LiveTopic(banners: [banner], sums: true)

    /// What a stream tells next; waits for it.
    private func next(_ watcher: LiveHub.Watcher, of node: CountingNode) async throws -> String {
        node.live.round()
        guard case .bytes(let bytes)? = await watcher.mailbox.next() else { throw StreamEnded() }
        node.live.didTake(watcher)
        return String(buffer: bytes)
    }

    private struct StreamEnded: Error {}

    /// The ids and counts of an event.
    private func read(_ event: String) throws -> (position: LivePosition, sums: [Int], minutes: [Int]) {
        let lines = event.split(separator: "\n").map(String.init)
        let id = try #require(lines.first { $0.hasPrefix("id: ") }?.dropFirst(4))
        let data = try #require(lines.first { $0.hasPrefix("data: ") }?.dropFirst(6))
        let json = try #require(try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any])
        func counts(_ name: String) -> [Int] {
            (json[name] as? [[String: Any]] ?? []).compactMap { $0["v"] as? Int }
        }
        return (try #require(LivePosition(id)), counts("sums"), counts("minutes"))
    }

    @Test(arguments: Layout.allCases)
    func `tells absolute counts, of each banner and of all together`(layout: Layout) async throws {
        try await NodeFixture(layout: layout).run { node in
            _ = try await node.count(banner: 7, count: 2)
            _ = try await node.count(banner: 8, count: 5)
            let beginning = try await node.live.beginning(of: Self.topic, after: nil)
            let state = try read(String(buffer: beginning.text))
            #expect(state.sums == [7] && state.minutes == [2])
            let watcher = try #require(node.live.join(Self.topic, knowsUpTo: beginning.upTo))
            _ = try await node.count(banner: 8, count: 1)
            let others = try read(try await next(watcher, of: node))
            #expect(others.sums == [8] && others.minutes == [])
            _ = try await node.count(banner: 7, count: 1)
            let own = try read(try await next(watcher, of: node))
            #expect(own.sums == [9] && own.minutes == [3])
        }
    }

    @Test(arguments: Layout.allCases)
    func `goes on where it was after the process died, before and after a flush`(layout: Layout) async throws {
        let fixture = NodeFixture(layout: layout)
        var position: LivePosition?
        var expected: Int64 = 0
        for round in 0..<6 {
            let known = position
            let before = expected
            position = try await fixture.run(flushAtEnd: round.isMultiple(of: 2)) { node in
                let beginning = try await node.live.beginning(of: Self.topic, after: known)
                let watcher = try #require(node.live.join(Self.topic, knowsUpTo: beginning.upTo))
                _ = try await node.count(banner: 7, count: 3)
                if !round.isMultiple(of: 3) { await node.keeper.flush() }
                node.live.round()
                var message = try #require(await watcher.mailbox.next())
                // On a machine that is busy enough the hub has rounds of its own meanwhile.
                while message == .bytes(LiveText.heartbeat) { message = try #require(await watcher.mailbox.next()) }
                // What the store alone has is told as the state anew.
                let text =
                    switch message {
                    case .bytes(let bytes): String(buffer: bytes)
                    case .state: String(buffer: try await node.live.stateText(of: Self.topic).text)
                    }
                let event = try read(text)
                #expect(event.minutes == [Int(before) + 3])
                #expect(event.sums == [Int(before) + 3])
                return event.position
            }
            expected += 3
        }
    }

    @Test func `what was told while nobody listened comes with the next connection`() async throws {
        try await NodeFixture().run { node in
            let beginning = try await node.live.beginning(of: Self.topic, after: nil)
            for _ in 0..<3 { _ = try await node.count(banner: 7) }
            let position = LivePosition(log: LogID("memory")!, offset: beginning.upTo)
            let again = try await node.live.beginning(of: Self.topic, after: position)
            #expect(again.text == LiveText.heartbeat)
            let watcher = try #require(node.live.join(Self.topic, knowsUpTo: again.upTo))
            #expect(try read(try await next(watcher, of: node)).minutes == [3])
        }
    }

    @Test(arguments: ["other@1", "memory@999"])
    func `a place that this log does not have begins anew`(place: String) async throws {
        try await NodeFixture().run { node in
            _ = try await node.count(banner: 7)
            #expect(LivePosition(place) != nil)
            let beginning = try await node.live.beginning(of: Self.topic, after: LivePosition(place))
            #expect(String(buffer: beginning.text).contains("event: state"))
        }
    }

    @Test func `a late event of a minute that has left the memory is told, also behind a flush`() async throws {
        let fixture = NodeFixture()
        try await fixture.run { node in
            let old = node.now.advanced(by: .seconds(-1_800))
            _ = try await node.count(banner: 7, time: old, count: 4)
            await node.keeper.flush()
            let beginning = try await node.live.beginning(of: Self.topic, after: nil)
            let watcher = try #require(node.live.join(Self.topic, knowsUpTo: beginning.upTo))
            _ = try await node.count(banner: 7, time: old, count: 1)
            await node.keeper.flush()
            // The row was flushed and forgotten between two rounds, so the state is told anew, unless a round of the node's own
            // came in between and told the row.
            var isTold = false
            while !isTold {
                node.live.didTake(watcher)
                node.live.round()
                switch await watcher.mailbox.next() {
                case .state?:
                    let state = try read(String(buffer: try await node.live.stateText(of: Self.topic).text))
                    #expect(state.minutes == [5])
                    isTold = true
                case .bytes(let bytes)?:
                    let event = String(buffer: bytes)
                    isTold = try event.contains("data: ") && read(event).minutes == [5]
                case nil: throw StreamEnded()
                }
            }
        }
    }

    @Test func `a closed hub sends all away and lets nobody in`() async throws {
        try await NodeFixture().run { node in
            let watcher = try #require(node.live.join(Self.topic, knowsUpTo: .none))
            node.live.close()
            #expect(await watcher.mailbox.next() == nil)
            #expect(node.live.join(Self.topic, knowsUpTo: .none) == nil)
        }
    }

    @Test func `a store that is away is a 503 before the stream begins`() async throws {
        let test = HTTPTest()
        test.service.liveSource.state.withLock { $0.storeError = .unavailable("the store is away") }
        let answer = try await test.get("/v1/live?banner=1")
        #expect(answer.status == 503 && answer.isProblem)
    }

    @Test(arguments: ["banner=x", "sums=maybe", "after=here", "kind=click"])
    func `what makes no sense is refused`(query: String) async throws {
        #expect(try await HTTPTest().get("/v1/live?\(query)").status == 400)
    }

    @Test func `there are no more streams than allowed, and HEAD takes up none`() async throws {
        let test = HTTPTest()
        for _ in 0..<5 { #expect(try await test.send(.head, "/v1/live").status == 200) }
        for _ in 0..<3 { #expect(test.service.live.join(LiveTopic(), knowsUpTo: .none) != nil) }
        let answer = try await test.get("/v1/live")
        #expect(answer.status == 503)
        #expect(answer.error.contains("as many watch"))
    }

    @Test func `is read over a socket, event by event, until the server closes it`() async throws {
        let test = HTTPTest()
        test.service.liveSource.state.withLock { $0.state = LiveState(from: .first, upTo: LogOffset(3)) }
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        let text = try await test.application.test(.live) { client in
            let request = HTTPClientRequest(url: "http://127.0.0.1:\(try #require(client.port))/v1/live")
            let response = try await http.execute(request, timeout: .seconds(20))
            #expect(response.headers.first(name: "Content-Type") == "text/event-stream")
            var text = ""
            for try await piece in response.body {
                text += String(buffer: piece)
                if text.contains("event: changes") {
                    test.service.live.close()
                } else if text.contains("event: state") {
                    test.service.liveSource.tell(count: 1, at: 4)
                    test.service.live.round()
                }
            }
            return text
        }
        try await http.shutdown()
        #expect(
            text == "retry: 1000\n\n"
                + "id: test-log@3\nevent: state\ndata: "
                + #"{"from":"1970-01-01T00:00:00Z","sums":[],"minutes":[]}"# + "\n\n"
                + "id: test-log@4\nevent: changes\ndata: "
                + #"{"sums":[{"kind":"click","ts":"1970-01-01T00:00:00Z","v":1}],"minutes":[]}"# + "\n\n")
        #expect(test.service.live.count == 0)
    }
}
