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
    private let idleTimeout: TimeAmount
    private let connections: Connections
    private let hotPath: HotPath?
    private let handlersBeforeCodec: @Sendable (any Channel) -> [any ChannelHandler]

    /// - Parameters:
    ///   - hotPath: counts plain requests ahead of the HTTP codec; nil leaves all of them to the routes.
    ///   - handlersBeforeCodec: sit between the deadline and the hot path, on bytes.
    init(
        responder: @escaping HTTPChannelHandler.Responder, configuration: HTTPConfiguration, metrics: HTTPMetrics,
        hotPath: HotPath?, handlersBeforeCodec: @escaping @Sendable (any Channel) -> [any ChannelHandler]
    ) {
        let limits = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: configuration.headBytes, maxHeaderListSize: configuration.headBytes,
            maxHeaderFieldCount: 100)
        // Whether a connection is idle, only its first handler knows: the hot path answers without the codec.
        inner = HTTP1Channel(
            responder: responder, configuration: .init(idleTimeout: nil, httpDecoderConfiguration: limits))
        idleTimeout = TimeAmount(configuration.idleTimeout)
        self.hotPath = hotPath
        requestTimeout = TimeAmount(configuration.requestTimeout)
        self.metrics = metrics
        connections = Connections(maximum: configuration.maximumConnections, metrics: metrics)
        self.handlersBeforeCodec = handlersBeforeCodec
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture { try addHandlersBeforeCodec(channel) }.flatMap {
            inner.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let handlers: [any ChannelHandler] = [
                RequestFramingHandler(), RequestEventHandler(), LastAnswerHandler(), LegacyClientHandler(),
                MalformedRequestHandler(malformed: metrics.malformed),
            ]
            try pipeline.addHandlers(handlers, position: .after(decoder))
            return value
        }.flatMapErrorThrowing { error in
            // SwiftNIO leaves it open, and its file with it.
            channel.close(promise: nil)
            throw error
        }
    }

    /// - Throws: when the connection is not wanted.
    private func addHandlersBeforeCodec(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        switch connections.began(channel) {
        case .admit: break
        case .refuse: return try pipeline.addHandler(RefusalHandler())
        case .drop: throw ChannelError.ioOnClosedChannel
        }
        try limitUnreadAnswers(channel)
        let deadline = RequestDeadlineHandler(
            timeout: requestTimeout, idleTimeout: idleTimeout, timeouts: metrics.timeouts)
        try pipeline.addHandler(deadline)
        connections.watch(deadline, of: channel)
        try pipeline.addHandlers(handlersBeforeCodec(channel))
        if let hotPath {
            try pipeline.addHandler(HotPathHandler(lane: hotPath.lane(of: channel.eventLoop), deadline: deadline))
        }
        try pipeline.addHandler(ClientLeftHandler())
    }

    /// Lets the kernel end the connection when the client takes nothing for as long as a request may take: it alone knows
    /// how far a client is that reads slowly, since it holds megabytes of an answer itself.
    private func limitUnreadAnswers(_ channel: any Channel) throws {
        let milliseconds = Int(requestTimeout.nanoseconds / 1_000_000)
        try channel.syncOptions?.setOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: milliseconds)
    }

    package func handle(value: Value, logger: Logger) async {
        await Peer.$address.withValue(value.channel.remoteAddress) {
            await inner.handle(value: value, logger: logger)
        }
    }
}
