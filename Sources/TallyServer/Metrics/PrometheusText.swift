// SPDX-License-Identifier: Apache-2.0

extension MetricsRegistry {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All metrics in the text format 0.0.4 of Prometheus, sorted.
    package var prometheusText: String {
        var text = ""
        for (name, family) in sortedFamilies {
            text += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.type)\n"
            for (labels, metric) in family.metrics.sorted(by: { $0.key < $1.key }) {
                text += MetricsRegistry.lines(of: metric, name: name, labels: labels)
            }
        }
        return text
    }

    private static func lines(of metric: Metric, name: String, labels: String) -> String {
        switch metric {
        case .counter(let counter): line(name, labels, "\(counter.value)")
        case .computedCounter(let value), .computedGauge(let value): line(name, labels, "\(value())")
        case .histogram(let histogram): lines(of: histogram, name: name, labels: labels)
        }
    }

    private static func lines(of histogram: Histogram, name: String, labels: String) -> String {
        let separator = labels.isEmpty ? "" : ","
        let bounds = histogram.bounds.map { "\($0.inSeconds)" } + ["+Inf"]
        let counts = histogram.cumulative
        var text = ""
        for (bound, count) in zip(bounds, counts) {
            text += line(name + "_bucket", labels + separator + "le=\"\(bound)\"", "\(count)")
        }
        text += line(name + "_sum", labels, "\(histogram.sumOfSeconds)")
        return text + line(name + "_count", labels, "\(counts.last ?? 0)")
    }

    private static func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}
