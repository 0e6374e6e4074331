// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// All metrics of the process. Whoever counts asks once for a counter and keeps it; the lock here is for asking and for
/// reading them all.
package final class MetricsRegistry: Sendable {
    /// Sorted by name, so that the text of two scrapes compares line by line.
    package typealias Labels = [(name: String, value: String)]

    enum Metric: Sendable {
        case counter(Counter)
        case computedCounter(@Sendable () -> Double)
        case computedGauge(@Sendable () -> Double)
        case histogram(Histogram)

        var type: String {
            switch self {
            case .counter, .computedCounter: "counter"
            case .computedGauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    struct Family: Sendable {
        let help: String
        let type: String
        /// By the text of the labels.
        var metrics: [String: Metric] = [:]
    }

    private let families = Mutex<[String: Family]>([:])

    package init() {}

    /// The counter of this name and these labels; a new one when it was never asked for.
    /// - Parameter help: what it counts; the first call's is kept.
    package func counter(_ name: String, _ help: String, labels: Labels = []) -> Counter {
        let metric = metric(name, help, labels) { .counter(Counter()) }
        guard case .counter(let counter) = metric else { preconditionFailure("the metric \(name) is no counter") }
        return counter
    }

    /// A gauge whose value is computed when the metrics are read.
    package func gauge(_ name: String, _ help: String, labels: Labels = [], value: @escaping @Sendable () -> Double) {
        _ = metric(name, help, labels) { .computedGauge(value) }
    }

    /// A counter that is kept elsewhere and read when the metrics are. It must never decrease.
    package func counter(_ name: String, _ help: String, labels: Labels = [], value: @escaping @Sendable () -> Double) {
        _ = metric(name, help, labels) { .computedCounter(value) }
    }

    package func histogram(_ name: String, _ help: String, labels: Labels = []) -> Histogram {
        let metric = metric(name, help, labels) { .histogram(Histogram()) }
        guard case .histogram(let histogram) = metric else { preconditionFailure("the metric \(name) is no histogram") }
        return histogram
    }

    /// Each family and in it each metric in the order of their names.
    var sortedFamilies: [(name: String, family: Family)] {
        families.withLock { $0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func metric(_ name: String, _ help: String, _ labels: Labels, make: () -> Metric) -> Metric {
        precondition(MetricsRegistry.isName(name), "\(name) is no name of a metric")
        let key = MetricsRegistry.text(of: labels)
        return families.withLock { families in
            if let known = families[name]?.metrics[key] { return known }
            let made = make()
            families[name, default: Family(help: help, type: made.type)].metrics[key] = made
            precondition(families[name]?.type == made.type, "the metric \(name) has one type")
            return made
        }
    }

    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") }
    }

    /// `method="GET",route="/stats"`
    private static func text(of labels: Labels) -> String {
        labels.sorted { $0.name < $1.name }.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            switch character {
            case "\\": text += #"\\"#
            case "\"": text += #"\""#
            case "\n": text += #"\n"#
            default: text.append(character)
            }
        }
    }
}
