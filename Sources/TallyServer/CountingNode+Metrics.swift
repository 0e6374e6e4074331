// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension CountingNode {
    /// What an operator wants to know: how much came in, what was left out and why, how far the store is behind.
    package func report(to registry: MetricsRegistry) {
        registry.reportCounted { self.statistics }
        registry.counter(
            "tally_events_refused_total", "Events, and entries of chunks, not made durable, and answered with 503."
        ) {
            Double(self.refusedEvents)
        }
        registry.gauge("tally_banners", "Banners that are known.") { Double(self.bannerCount) }
        registry.gauge("tally_live_streams", "Connections that watch the live stream.") { Double(self.live.count) }
        registry.gauge("tally_log_ready", "1 while events can be made durable, 0 when the log has failed.") {
            self.logProblem == nil ? 1 : 0
        }
        registry.reportMissingChunks(partition: 0) { self.missingChunks }
        reportStore(to: registry)
    }

    private func reportStore(to registry: MetricsRegistry) {
        registry.reportStore { self.keeper.health }
        registry.gauge("tally_clock_behind_log_seconds", "How far the clock is behind the latest time in the log.") {
            Double(max(0, self.logTime.milliseconds - self.now.milliseconds)) / 1_000
        }
        registry.report(clock)
    }
}
