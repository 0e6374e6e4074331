// SPDX-License-Identifier: Apache-2.0

import Glibc
package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1

/// Hummingbird's HTTP/1 connection with a deadline for each request in front of it, and one for the client to take what
/// is answered.
package struct GuardedChannel: ServerChildChannel {
    package typealias Value = HTTP1Channel.Value

    private let inner: HTTP1Channel
    private let requestTimeout: TimeAmount
    private let metrics: HTTPMetrics
    private let handlersBeforeCodec: @Sendable (any Channel) -> [any ChannelHandler]

    /// - Parameter handlersBeforeCodec: sit between the deadline and the HTTP codec, on bytes.
    init(
        responder: @escaping HTTPChannelHandler.Responder, configuration: HTTPConfiguration, metrics: HTTPMetrics,
        handlersBeforeCodec: @escaping @Sendable (any Channel) -> [any ChannelHandler]
    ) {
        let limits = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: configuration.headBytes, maxHeaderListSize: configuration.headBytes,
            maxHeaderFieldCount: 100)
        inner = HTTP1Channel(
            responder: responder,
            configuration: .init(idleTimeout: TimeAmount(configuration.idleTimeout), httpDecoderConfiguration: limits))
        requestTimeout = TimeAmount(configuration.requestTimeout)
        self.metrics = metrics
        self.handlersBeforeCodec = handlersBeforeCodec
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        do {
            try limitUnreadAnswers(channel)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(RequestDeadlineHandler(timeout: requestTimeout, timeouts: metrics.timeouts))
            try pipeline.addHandlers(handlersBeforeCodec(channel))
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return inner.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let handlers: [any ChannelHandler] = [
                RequestEventHandler(), LastAnswerHandler(), MalformedRequestHandler(malformed: metrics.malformed),
            ]
            try pipeline.addHandlers(handlers, position: .after(decoder))
            return value
        }
    }

    /// Lets the kernel end the connection when the client takes nothing for as long as a request may take: it alone knows
    /// how far a client is that reads slowly, since it holds megabytes of an answer itself.
    private func limitUnreadAnswers(_ channel: any Channel) throws {
        let milliseconds = Int(requestTimeout.nanoseconds / 1_000_000)
        try channel.syncOptions?.setOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: milliseconds)
    }

    package func handle(value: Value, logger: Logger) async { await inner.handle(value: value, logger: logger) }
}
