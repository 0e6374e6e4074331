// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import TallyServer

/// The running process: a node behind its HTTP face, until SIGTERM or SIGINT.
struct Server {
    let node: any RunningNode
    let configuration: ServerConfiguration
    let logger: Logger

    /// Returns when everything that was accepted is committed and flushed; a second signal ends the process at once.
    func run() async throws {
        let registry = MetricsRegistry()
        node.report(to: registry)
        let metrics = HTTPMetrics(registry: registry)
        // Made once, since it holds the judge that both ways of a request share.
        let httpConfiguration = httpConfiguration
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: configuration.loops.count)
        let http = HTTPService(
            service: node, metrics: metrics, configuration: httpConfiguration, logger: quietLogger,
            hotPath: node.laneIntake.map {
                HotPath(intake: $0, metrics: metrics, configuration: httpConfiguration)
            }, eventLoops: eventLoops,
            isListening: announce)
        // In the order of their start. They stop in reverse: no more requests, the last commit, the last flush.
        let group = ServiceGroup(
            services: node.services + (try botListWatch(httpConfiguration.judge)) + [http], logger: quietLogger)
        try await StopSignals.watching { signals in
            signals.onFirst { stop(group) }
            try await group.run()
        }
        // Not before: the last commit is answered on them.
        try await eventLoops.shutdownGracefully()
    }

    /// - Throws: `.failed` when the operator's list can't be read.
    private func botListWatch(_ judge: TrafficJudge) throws(CommandFailure) -> [any Service] {
        guard let path = configuration.botList else { return [] }
        var file = BotListFile(path: path)
        judge.use(try file.readFirst())
        return [BotListWatch(file: file, judge: judge, logger: logger)]
    }

    private func stop(_ group: ServiceGroup) {
        logger.info("stopping")
        // A signal has no task to belong to.
        Task { await group.triggerGracefulShutdown() }
        // A flush that takes longer, or a client that never ends its request, is cut off. That is no failure: what was
        // acknowledged is in the log, or in the spool, and goes on from there at the next start.
        let limit = 0.9 * (configuration.stopTimeout / .seconds(1))
        DispatchQueue.global().asyncAfter(deadline: .now() + limit) { [logger] in
            logger.warning("stopped before everything was flushed; the log keeps the rest for the next start")
            _exit(0)
        }
    }

    private var httpConfiguration: HTTPConfiguration {
        HTTPConfiguration(
            host: configuration.listen.host, port: configuration.listen.port,
            counterStatus: HTTPConfiguration.CounterStatus(rawValue: configuration.counterStatus) ?? .noContent,
            allowedOrigins: configuration.allowedOrigins, judge: TrafficJudge(configuration.traffic),
            requestTimeout: configuration.requestTimeout,
            // The other half is for the last commit and the last flush.
            stopPatience: configuration.stopTimeout / 2, maximumConnections: OpenFiles.connectionLimit,
            queries: QueryLimits(heavyQueries: configuration.maxHeavyQueries, timeout: configuration.queryTimeout),
            version: Version.text)
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
