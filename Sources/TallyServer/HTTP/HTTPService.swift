// SPDX-License-Identifier: Apache-2.0

import Glibc
import Hummingbird
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle

/// The HTTP server as a part of the process: listens until it is told to stop, then answers what it has begun. A request
/// that hasn't ended after `stopPatience` is cut off, so that the last flush gets the rest of the time.
package struct HTTPService: Service {
    private let service: any CountingService
    private let metrics: HTTPMetrics
    private let configuration: HTTPConfiguration
    private let logger: Logger
    private let hotPath: HotPath?
    private let eventLoops: any EventLoopGroup
    private let isListening: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - hotPath: as in `makeApplication`.
    ///   - eventLoops: among which connections are dealt out, one after the other.
    ///   - isListening: is told the port, once requests can come.
    package init(
        service: any CountingService, metrics: HTTPMetrics, configuration: HTTPConfiguration, logger: Logger,
        hotPath: HotPath? = nil, eventLoops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        isListening: @escaping @Sendable (Int) -> Void
    ) {
        self.service = service
        self.metrics = metrics
        self.configuration = configuration
        self.logger = logger
        self.hotPath = hotPath
        self.eventLoops = eventLoops
        self.isListening = isListening
    }

    /// - Throws: `CannotListen` when the address is taken, or isn't this machine's.
    package func run() async throws {
        let application = makeApplication(
            service: service, metrics: metrics, configuration: configuration, logger: logger, hotPath: hotPath,
            eventLoops: .shared(eventLoops),
            onServerRunning: { channel in isListening(channel.localAddress?.port ?? 0) })
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await application.run() }
                group.addTask { [service, patience = configuration.stopPatience] in
                    try await gracefulShutdown()
                    // They have no end of their own.
                    service.watching?.close()
                    try await Task.sleep(for: patience)
                }
                try await group.next()
                // Either all requests have ended, or the time for them has; a cancelled server closes its connections.
                group.cancelAll()
            }
        } catch let error as IOError {
            throw CannotListen(
                host: configuration.host, port: configuration.port, isInUse: error.errnoCode == EADDRINUSE,
                reason: "\(error)")
        }
    }
}

/// Why the server could not begin to listen.
package struct CannotListen: Error, CustomStringConvertible {
    let host: String
    let port: Int
    let isInUse: Bool
    let reason: String

    package var description: String {
        isInUse
            ? "\(host):\(port) is in use by another process; --listen chooses another address"
            : "can't listen on \(host):\(port): \(reason)"
    }
}
