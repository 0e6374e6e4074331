// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// A bare connection, for requests that no well-behaved client sends.
struct RawConnection {
    private let channel: any Channel
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received = ByteBuffer()

    /// - Parameter body: the connection is closed when it returns.
    static func with<Result>(port: Int, _ body: (inout RawConnection) async throws -> Result) async throws -> Result {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var connection = RawConnection(
                channel: channel.channel, inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await body(&connection)
        }
    }

    func send(_ text: String) async throws {
        try await outbound.write(ByteBuffer(string: text))
    }

    /// Sends `text` a byte each `interval` from now on, until the connection closes.
    func drip(_ text: String, every interval: Duration) {
        let channel = channel
        let rest = NIOLoopBoundBox.makeBoxSendingValue(ByteBuffer(string: text), eventLoop: channel.eventLoop)
        channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: TimeAmount(interval)) { task in
            guard let byte = rest.value.readSlice(length: 1), channel.isActive else { return task.cancel() }
            channel.writeAndFlush(byte, promise: nil)
        }
    }

    /// What has come until `end` appears; nil when the server closes the connection before.
    mutating func read(until end: String) async throws -> String? {
        while true {
            let text = String(buffer: received)
            if let range = text.firstRange(of: end) {
                received.moveReaderIndex(forwardBy: text[..<range.upperBound].utf8.count)
                return String(text[..<range.upperBound])
            }
            guard var next = try await inbound.next(isolation: #isolation) else { return nil }
            received.writeBuffer(&next)
        }
    }

    /// Everything until the server closes the connection; a reset is a close too.
    mutating func readUntilClose() async -> String {
        while var next = try? await inbound.next(isolation: #isolation) { received.writeBuffer(&next) }
        return String(buffer: received)
    }
}
