// SPDX-License-Identifier: Apache-2.0

/// What the HTTP server counts of itself.
package struct HTTPMetrics: Sendable {
    let registry: MetricsRegistry
    /// Connections cut off since a request did not arrive in time.
    let timeouts: Counter
    /// Connections closed since what arrived was no HTTP, or too large a head.
    let malformed: Counter
    /// Connections refused at their limit.
    let connectionsRefused: Counter
    /// Idle connections closed at the limit, for new ones.
    let idleConnectionsClosed: Counter

    /// Requests that a browser made before anybody wanted to see the page; they don't count.
    let prefetches: Counter

    package init(registry: MetricsRegistry) {
        self.registry = registry
        prefetches = registry.counter(
            "tally_prefetches_total",
            "Requests to count that were not counted, since a browser made them ahead of its user.")
        timeouts = registry.counter(
            "tally_http_timeouts_total", "Connections cut off since a request did not arrive in time.")
        malformed = registry.counter(
            "tally_http_malformed_total",
            "Connections closed since what arrived was no HTTP, or its head was too large.")
        connectionsRefused = registry.counter(
            "tally_http_connections_refused_total", "Connections refused, since there were as many as may be.")
        idleConnectionsClosed = registry.counter(
            "tally_http_idle_connections_closed_total",
            "Idle connections closed for new ones, since there were as many as may be.")
        // A label that was never counted is a line that is missing: the usual ones begin at 0.
        for reason in ["bad_request", "too_large", "unavailable", "too_old", "in_future"] { _ = refusals(reason) }
    }

    /// Requests and single events that were refused, by reason.
    func refusals(_ reason: String) -> Counter {
        registry.counter(
            HTTPMetrics.refusalsName, "Requests, and events within a request, that were refused, by reason.",
            labels: [("reason", reason)])
    }

    /// How many were refused, by reason, sorted by it.
    var refusalsByReason: [(reason: String, count: UInt64)] {
        let family = registry.sortedFamilies.first { $0.name == HTTPMetrics.refusalsName }?.family
        return (family?.metrics ?? [:]).sorted { $0.key < $1.key }.compactMap { labels, metric in
            guard case .counter(let counter) = metric else { return nil }
            return (String(labels.dropFirst("reason=\"".count).dropLast()), counter.value)
        }
    }

    private static let refusalsName = "tally_http_refusals_total"

    /// How many heavy queries run and wait.
    func report(heavyQueries slots: QuerySlots) {
        registry.gauge("tally_heavy_queries_running", "Heavy queries that run.") { Double(slots.running) }
        registry.gauge("tally_heavy_queries_waiting", "Heavy queries that wait for others to end.") {
            Double(slots.waiting)
        }
    }

    func route(method: String, path: String) -> RouteMetrics {
        RouteMetrics(registry: registry, labels: [("method", method), ("route", path)])
    }
}

/// What is counted of one route; nothing of it is looked up while a request is answered.
struct RouteMetrics: Sendable {
    private let byClass: [Counter]
    private let duration: Histogram

    init(registry: MetricsRegistry, labels: MetricsRegistry.Labels) {
        byClass = (1...5).map { digit in
            registry.counter(
                "tally_http_requests_total", "Requests by route and class of the status.",
                labels: labels + [("status", "\(digit)xx")])
        }
        duration = registry.histogram(
            "tally_http_request_seconds", "From the head of the request to the head of the answer.", labels: labels)
    }

    /// - Parameter times: as many requests were answered alike.
    func answered(status: Int, after time: Duration, times: Int = 1) {
        byClass[min(max(status / 100, 1), 5) - 1].add(UInt64(times))
        duration.observe(time, times: UInt64(times))
    }
}
