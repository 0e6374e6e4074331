// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import TallyCore
import Testing

@testable import TallyServer

@Suite("The hot path of one connection", .timeLimit(.minutes(5)))
struct HotPathHandlerTests {
    private static let click = "GET /counter/7 HTTP/1.1\r\nHost: x\r\n\r\n"
    private static let other = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

    private func offsets(_ text: String) -> [String] { text.matches(of: /@([0-9]+);/).map { String($0.1) } }

    @Test func `nobody is answered before the commit, and then all at once`() async throws {
        let bench = try await HotBench()
        try await bench.run {
            try await bench.receive(Self.click + Self.click + Self.click)
            try await eventually("the commit is on its way") { await bench.log.waitingAppends == 1 }
            #expect(try await bench.written().isEmpty)
            await bench.log.letOneGo()
            #expect(offsets(try await bench.nextWrite()) == ["1", "1", "1"])
            let appends = await bench.log.appends
            #expect(appends.map { $0.map { $0.deltas.map(\.count) } } == [[[3]]])
        }
    }

    @Test func `what comes while a commit is on its way shares the next`() async throws {
        let bench = try await HotBench()
        try await bench.run {
            try await bench.receive(Self.click)
            try await eventually("the commit is on its way") { await bench.log.waitingAppends == 1 }
            try await bench.receive(Self.click + Self.click)
            try await bench.receive(Self.click)
            await bench.log.letOneGo()
            #expect(offsets(try await bench.nextWrite()) == ["1"])
            try await eventually("the next is on its way") { await bench.log.waitingAppends == 1 }
            await bench.log.letOneGo()
            #expect(offsets(try await bench.nextWrite()) == ["2", "2", "2"], "in one write")
            #expect(await bench.log.appends.map { $0.count } == [1, 1])
        }
    }

    @Test func `a refusal doesn't overtake the answers before it`() async throws {
        let bench = try await HotBench(pendingEntriesLimit: 1)
        try await bench.run {
            try await bench.receive(Self.click)
            try await eventually("the commit is on its way") { await bench.log.waitingAppends == 1 }
            try await bench.receive(Self.click)
            try await bench.receive(Self.click.replacing("7", with: "8"))
            #expect(try await bench.written().isEmpty)
            await bench.log.letOneGo()
            #expect(try await bench.nextWrite().hasPrefix("HTTP/1.1 204 "))
            let refusals = try await bench.nextWrite()
            #expect(refusals.ranges(of: "HTTP/1.1 503 Service Unavailable\r\n").count == 2)
            #expect(refusals.contains("more events are waiting"))
            try await bench.receive(Self.click)
            try await eventually("it works again") { await bench.log.waitingAppends == 1 }
            await bench.log.letOneGo()
            #expect(try await bench.nextWrite().hasPrefix("HTTP/1.1 204 "))
        }
    }

    @Test func `a client that waits for nothing is read no further than its answers can follow`() async throws {
        let bench = try await HotBench()
        try await bench.run {
            for _ in 0..<5 { try await bench.receive(String(repeating: Self.click, count: 1_000)) }
            let reads = bench.reads.value
            try await bench.channel.testingEventLoop.executeInContext { bench.channel.read() }
            #expect(bench.reads.value == reads)
            await bench.log.open()
            try await eventually("all is answered, and read on") {
                await bench.channel.testingEventLoop.run()
                return bench.reads.value > reads
            }
        }
    }

    @Test func `after a failure of the log each has its answer`() async throws {
        let bench = try await HotBench()
        try await bench.run {
            await bench.log.fail(.failed("broken"))
            try await bench.receive(Self.click)
            try await eventually("the commit is on its way") { await bench.log.waitingAppends == 1 }
            try await bench.receive(Self.click)
            await bench.log.letOneGo()
            for _ in 0..<2 { #expect(try await bench.nextWrite().contains("could not be made durable: broken")) }
            try await bench.receive(Self.click)
            #expect(try await bench.nextWrite().hasPrefix("HTTP/1.1 503 "))
        }
    }

    @Test func `another's request waits for the answers before it, and what is behind waits for its own`() async throws
    {
        let bench = try await HotBench()
        try await bench.run {
            try await bench.receive(Self.click + Self.other + Self.click)
            #expect(bench.codec.all.isEmpty)
            try await eventually("the commit is on its way") { await bench.log.waitingAppends == 1 }
            await bench.log.letOneGo()
            #expect(offsets(try await bench.nextWrite()) == ["1"])
            // The codec here says nothing of the end of the request, so it has all from now on.
            #expect(bench.codec.all == [Self.other, Self.click])
        }
    }

    @Test func `the end of input comes behind the answers`() async throws {
        let bench = try await HotBench()
        try await bench.run {
            try await bench.receive(Self.click)
            try await bench.fire(ChannelEvent.inputClosed)
            #expect(bench.codec.all.isEmpty)
            try await eventually("the commit is on its way") { await bench.log.waitingAppends == 1 }
            await bench.log.letOneGo()
            #expect(offsets(try await bench.nextWrite()) == ["1"])
            #expect(bench.codec.all == ["inputClosed"])
        }
    }

    @Test func `a request that will not end is the codec's`() async throws {
        let bench = try await HotBench()
        try await bench.run {
            try await bench.receive("GET /counter/7 HT")
            #expect(bench.codec.all.isEmpty)
            try await bench.fire(ChannelEvent.inputClosed)
            #expect(bench.codec.all == ["GET /counter/7 HT", "inputClosed"])
        }
    }

    @Test func `a stop lets what was counted be answered, and then ends the connection`() async throws {
        let bench = try await HotBench()
        try await bench.run {
            try await bench.receive(Self.click + "GET /coun")
            try await bench.fire(ChannelShouldQuiesceEvent())
            #expect(bench.codec.all.isEmpty)
            let reads = bench.reads.value
            try await bench.channel.testingEventLoop.executeInContext { bench.channel.read() }
            #expect(bench.reads.value == reads, "nothing new is begun")
            try await eventually("the commit is on its way") { await bench.log.waitingAppends == 1 }
            await bench.log.letOneGo()
            #expect(offsets(try await bench.nextWrite()) == ["1"])
            #expect(bench.codec.all == ["quiesce"])
        }
    }

    @Test func `nothing more is read while much is held`() async throws {
        let bench = try await HotBench()
        try await bench.run {
            let large = "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
            try await bench.receive(Self.click + large + String(repeating: " ", count: 70_000))
            let reads = bench.reads.value
            try await bench.channel.testingEventLoop.executeInContext { bench.channel.read() }
            #expect(bench.reads.value == reads)
            try await eventually("the commit is on its way") { await bench.log.waitingAppends == 1 }
            await bench.log.letOneGo()
            #expect(offsets(try await bench.nextWrite()) == ["1"])
            #expect(bench.codec.all.map(\.utf8.count) == [large.utf8.count + 70_000])
            #expect(bench.reads.value == reads + 1, "and then it is")
        }
    }
}
