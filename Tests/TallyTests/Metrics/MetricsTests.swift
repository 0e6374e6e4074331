// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyServer

struct MetricsTests {
    @Test func `writes the text that Prometheus reads`() {
        let registry = MetricsRegistry()
        registry.counter("b_total", "What b counts.", labels: [("path", "/a\"\\\n"), ("method", "GET")]).add(3)
        registry.gauge("a_now", "What a is.") { -5 }
        registry.gauge("c_now", "What c is.") { 1.5 }
        #expect(
            registry.prometheusText == #"""
                # HELP a_now What a is.
                # TYPE a_now gauge
                a_now -5.0
                # HELP b_total What b counts.
                # TYPE b_total counter
                b_total{method="GET",path="/a\"\\\n"} 3
                # HELP c_now What c is.
                # TYPE c_now gauge
                c_now 1.5

                """#)
    }

    @Test func `a histogram counts what is not above each bound`() {
        let registry = MetricsRegistry()
        let histogram = registry.histogram("wait_seconds", "How long.", labels: [("route", "/")])
        for duration in [Duration.microseconds(100), .microseconds(101), .seconds(10), .seconds(11), .seconds(-1)] {
            histogram.observe(duration)
        }
        let lines = registry.prometheusText.split(separator: "\n")
        #expect(lines.contains(#"wait_seconds_bucket{route="/",le="0.0001"} 2"#))
        #expect(lines.contains(#"wait_seconds_bucket{route="/",le="0.00025"} 3"#))
        #expect(lines.contains(#"wait_seconds_bucket{route="/",le="10.0"} 4"#))
        #expect(lines.contains(#"wait_seconds_bucket{route="/",le="+Inf"} 5"#))
        #expect(lines.contains(#"wait_seconds_count{route="/"} 5"#))
        #expect(lines.contains(#"wait_seconds_sum{route="/"} 21.000201"#))
    }

    @Test func `who asks twice gets the same, and additions of many tasks are all there`() async {
        let registry = MetricsRegistry()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        registry.counter("n_total", "n", labels: [("even", "\(task % 2 == 0)")]).add()
                    }
                }
            }
        }
        #expect(registry.counter("n_total", "n", labels: [("even", "true")]).value == 4_000)
        #expect(registry.counter("n_total", "n", labels: [("even", "false")]).value == 4_000)
    }
}
