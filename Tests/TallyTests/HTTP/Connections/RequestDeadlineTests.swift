// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import TallyServer

struct RequestProgressTests {
    @Test func `a request that has ended is not late`() {
        var progress = RequestProgress()
        #expect(progress.deadlinePassed() == .nothing)
        let beginsFirst = progress.bytesArrived()
        let beginsAgain = progress.bytesArrived()
        #expect(beginsFirst && !beginsAgain)
        progress.headArrived()
        progress.requestEnded()
        #expect(progress.deadlinePassed() == .nothing)
        #expect(!progress.isReceiving)
    }

    @Test func `a head or a body that does not end is cut off, with an answer unless one has begun`() {
        var progress = RequestProgress()
        _ = progress.bytesArrived()
        #expect(progress.deadlinePassed() == .cutOff(mayAnswer: true))
        progress.headArrived()
        #expect(progress.deadlinePassed() == .cutOff(mayAnswer: true))
        progress.answerBegan()
        #expect(progress.deadlinePassed() == .cutOff(mayAnswer: false))
        progress.answerEnded()
        #expect(progress.deadlinePassed() == .cutOff(mayAnswer: false))
    }

    @Test func `while an earlier request is unanswered the client is not to blame`() {
        var progress = RequestProgress()
        _ = progress.bytesArrived()
        progress.headArrived()
        progress.requestEnded()
        _ = progress.bytesArrived()
        #expect(progress.deadlinePassed() == .wait)
        progress.headArrived()
        #expect(progress.deadlinePassed() == .wait)
        progress.answerBegan()
        progress.answerEnded()
        #expect(progress.deadlinePassed() == .cutOff(mayAnswer: true))
    }
}

struct RequestDeadlineHandlerTests {
    private let timeouts = Counter()

    /// A connection with the deadline in front of the HTTP codec, as the server has it, and its time turned by hand.
    private func connection(idleTimeout: TimeAmount? = nil) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(
            RequestDeadlineHandler(timeout: .seconds(30), idleTimeout: idleTimeout, timeouts: timeouts))
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        try pipeline.addHandler(RequestEventHandler())
        try channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private func send(_ text: some StringProtocol, to channel: EmbeddedChannel) throws {
        try channel.writeInbound(ByteBuffer(string: String(text)))
    }

    private func answer(_ channel: EmbeddedChannel) throws {
        let head = HTTPResponseHead(version: .http1_1, status: .noContent)
        try channel.writeOutbound(HTTPServerResponsePart.head(head))
        try channel.writeOutbound(HTTPServerResponsePart.end(nil))
    }

    private func written(_ channel: EmbeddedChannel) throws -> String {
        var text = ""
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text
    }

    @Test(arguments: [
        "GET /counter/1234567 HTTP/1.1\r\nHost: somewhere\r\nX: y",
        "POST /v1/events HTTP/1.1\r\nContent-Length: 999\r\n\r\n{\"banner\":1}",
        "POST /v1/events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{\"banner\":1}",
    ])
    func `a client that sends a byte a second is cut off after the term`(request: String) throws {
        let channel = try connection()
        var sent = 0
        // Most of it comes at once, so that thirty bytes later it is still not complete.
        try send(request.prefix(request.count - 29), to: channel)
        for byte in request.suffix(29) {
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            try send(String(byte), to: channel)
            sent += 1
        }
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        #expect(sent == 29)
        #expect(timeouts.value == 1)
        #expect(try written(channel).hasPrefix("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"))
    }

    @Test func `requests that arrive in time never end the connection, however long it lasts`() throws {
        let channel = try connection()
        for _ in 0..<100 {
            try send("GET /counter/1 HTTP/1.1\r\n", to: channel)
            channel.embeddedEventLoop.advanceTime(by: .seconds(20))
            try send("\r\n", to: channel)
            try answer(channel)
            channel.embeddedEventLoop.advanceTime(by: .seconds(13))
        }
        #expect(channel.isActive)
        #expect(timeouts.value == 0)
        _ = try? channel.finish()
    }

    @Test func `a connection that waits between requests is not this handler's to close`() throws {
        let channel = try connection()
        try send("GET / HTTP/1.1\r\n\r\n", to: channel)
        try answer(channel)
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        _ = try? channel.finish()
    }

    @Test func `while the server answers an earlier request the next one has time`() throws {
        let channel = try connection()
        try send("GET / HTTP/1.1\r\n\r\n", to: channel)
        try send("GET / HT", to: channel)
        channel.embeddedEventLoop.advanceTime(by: .seconds(45))
        #expect(channel.isActive)
        try answer(channel)
        channel.embeddedEventLoop.advanceTime(by: .seconds(14))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        #expect(timeouts.value == 1)
    }

    @Test func `no answer is mixed into one that has begun`() throws {
        let channel = try connection()
        try send("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", to: channel)
        try channel.writeOutbound(HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok)))
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        #expect(!channel.isActive)
        #expect(try !written(channel).contains("408"))
    }

    @Test func `a connection on which nothing happens is closed, and one in use is not`() throws {
        let channel = try connection(idleTimeout: .seconds(75))
        for _ in 0..<10 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(74))
            try send("GET / HTTP/1.1\r\n\r\n", to: channel)
            try answer(channel)
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(74))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        #expect(timeouts.value == 0)
    }

    @Test func `waiting for an answer is not idleness`() throws {
        let channel = try connection(idleTimeout: .seconds(75))
        try send("GET / HTTP/1.1\r\n\r\n", to: channel)
        channel.embeddedEventLoop.advanceTime(by: .minutes(10))
        #expect(channel.isActive)
        try answer(channel)
        channel.embeddedEventLoop.advanceTime(by: .seconds(74))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .minutes(2))
        #expect(!channel.isActive)
    }
}
