// SPDX-License-Identifier: Apache-2.0

package import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore

/// The HTTP server: the routes behind connections that a slow client can't hold.
///
/// - Parameters:
///   - handlersBeforeCodec: sit on each connection between the deadline and the HTTP codec, on bytes. One that answers
///     requests itself tells the deadline so with `RequestEvent`s.
///   - onServerRunning: gets the listening channel.
package func makeApplication(
    service: any CountingService, metrics: HTTPMetrics, configuration: HTTPConfiguration, logger: Logger,
    eventLoops: EventLoopGroupProvider = .singleton,
    handlersBeforeCodec: @escaping @Sendable (any Channel) -> [any ChannelHandler] = { _ in [] },
    onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
) -> some ApplicationProtocol {
    Application(
        router: makeRouter(service: service, metrics: metrics, configuration: configuration),
        server: HTTPServerBuilder { responder in
            GuardedChannel(
                responder: responder, configuration: configuration, metrics: metrics,
                handlersBeforeCodec: handlersBeforeCodec)
        },
        configuration: .init(address: .hostname(configuration.host, port: configuration.port)),
        onServerRunning: onServerRunning,
        eventLoopGroupProvider: eventLoops,
        logger: logger)
}
