// SPDX-License-Identifier: Apache-2.0

package import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore

/// The HTTP server: the routes behind connections that a slow client can't hold.
///
/// - Parameters:
///   - hotPath: counts plain requests ahead of the HTTP codec; nil leaves all of them to the routes.
///   - handlersBeforeCodec: sit on each connection behind the deadline, on bytes.
///   - onServerRunning: gets the listening channel.
package func makeApplication(
    service: any CountingService, metrics: HTTPMetrics, configuration: HTTPConfiguration, logger: Logger,
    hotPath: HotPath? = nil, eventLoops: EventLoopGroupProvider = .singleton,
    handlersBeforeCodec: @escaping @Sendable (any Channel) -> [any ChannelHandler] = { _ in [] },
    onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
) -> some ApplicationProtocol {
    Application(
        router: makeRouter(service: service, metrics: metrics, configuration: configuration),
        server: HTTPServerBuilder { responder in
            GuardedChannel(
                responder: responder, configuration: configuration, metrics: metrics, hotPath: hotPath,
                handlersBeforeCodec: handlersBeforeCodec)
        },
        configuration: .init(address: .hostname(configuration.host, port: configuration.port)),
        onServerRunning: onServerRunning,
        eventLoopGroupProvider: eventLoops,
        logger: logger)
}
