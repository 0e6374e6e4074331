// SPDX-License-Identifier: Apache-2.0

/// How the HTTP server behaves. Each default is what `tally serve` does without a flag.
package struct HTTPConfiguration: Sendable {
    /// What `/counter` answers when it has counted: some clients insist on one.
    package enum CounterStatus: Int, CaseIterable, Sendable {
        case ok = 200
        case accepted = 202
        case noContent = 204
    }

    package var host: String
    /// 0 for any free port.
    package var port: Int
    package var counterStatus: CounterStatus
    /// Which web pages may see the answers of the counting requests.
    package var allowedOrigins: AllowedOrigins
    /// Which events are no person's; the hot path and the routes share it.
    package var judge: TrafficJudge
    /// From the first byte of a request until its last; then the connection is cut off.
    package var requestTimeout: Duration
    /// How long a connection may wait between requests.
    package var idleTimeout: Duration
    /// How long a stop waits for requests that have begun; then their connections are closed.
    package var stopPatience: Duration
    /// The largest head of a request: its first line and all header fields, in bytes.
    package var headBytes: Int
    /// The largest bodies of all requests on their way together, in bytes.
    package var bodiesBytes: Int
    /// Of connections at a time; further ones take the place of idle ones, or are refused with 503.
    package var maximumConnections: Int
    package var queries: QueryLimits
    /// Shown by `/` and in `/openapi.json`.
    package var version: String

    package init(
        host: String = "127.0.0.1", port: Int = 3000, counterStatus: CounterStatus = .noContent,
        allowedOrigins: AllowedOrigins = .any, judge: TrafficJudge = TrafficJudge(),
        requestTimeout: Duration = .seconds(30), idleTimeout: Duration = .seconds(75),
        stopPatience: Duration = .seconds(5),
        headBytes: Int = 32 << 10, bodiesBytes: Int = 256 << 20, maximumConnections: Int = .max,
        queries: QueryLimits = QueryLimits(), version: String = "development"
    ) {
        self.host = host
        self.port = port
        self.counterStatus = counterStatus
        self.allowedOrigins = allowedOrigins
        self.judge = judge
        self.requestTimeout = requestTimeout
        self.idleTimeout = idleTimeout
        self.stopPatience = stopPatience
        self.headBytes = headBytes
        self.bodiesBytes = bodiesBytes
        self.maximumConnections = maximumConnections
        self.queries = queries
        self.version = version
    }
}
