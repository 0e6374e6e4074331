// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Logging
import ServiceLifecycle
import TallyServer

/// The running process: a node behind its HTTP face, until SIGTERM or SIGINT.
struct Server {
    let node: CountingNode
    let configuration: ServerConfiguration
    let logger: Logger

    /// Returns when everything that was accepted is committed and flushed; a second signal ends the process at once.
    func run() async throws {
        let registry = MetricsRegistry()
        node.report(to: registry)
        let http = HTTPService(
            service: node, metrics: HTTPMetrics(registry: registry), configuration: httpConfiguration,
            logger: quietLogger, isListening: announce)
        // In the order of their start. They stop in reverse: no more requests, the last commit, the last flush.
        let group = ServiceGroup(services: node.services + [http], logger: quietLogger)
        let signals = StopSignals.watch(timeout: configuration.stopTimeout, logger: logger) {
            await group.triggerGracefulShutdown()
        }
        defer { for source in signals { source.cancel() } }
        try await group.run()
    }

    private var httpConfiguration: HTTPConfiguration {
        HTTPConfiguration(
            host: configuration.listen.host, port: configuration.listen.port,
            counterStatus: HTTPConfiguration.CounterStatus(rawValue: configuration.counterStatus) ?? .noContent,
            requestTimeout: configuration.requestTimeout, version: Version.text)
    }

    /// The libraries' own notes on starting and stopping would only repeat ours.
    private var quietLogger: Logger {
        var quiet = logger
        if logger.logLevel == .info || logger.logLevel == .notice { quiet.logLevel = .warning }
        return quiet
    }

    private func announce(port: Int) {
        let host = configuration.listen.host
        let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        logger.info("listening on http://\(address)", metadata: ["data": "\(configuration.data)"])
    }
}
