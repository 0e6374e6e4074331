// SPDX-License-Identifier: Apache-2.0

/// How often a duration fell under each of a few bounds, as a metric. Observing takes no lock.
package final class Histogram: Sendable {
    /// From a tenth of a millisecond, less than which a sync does not take, to ten seconds.
    package static let durations: [Duration] = [
        .microseconds(100), .microseconds(250), .microseconds(500), .milliseconds(1), .microseconds(2_500),
        .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50), .milliseconds(100),
        .milliseconds(250), .milliseconds(500), .seconds(1), .milliseconds(2_500), .seconds(5), .seconds(10),
    ]

    let bounds: [Duration]
    /// One for each bound, and one for what is above the last. Not cumulative: one addition each.
    private let counts: [Counter]
    private let nanoseconds = Counter()

    /// - Parameter bounds: ascending.
    package init(bounds: [Duration] = Histogram.durations) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy(<), "the bounds of a histogram ascend")
        self.bounds = bounds
        counts = (0...bounds.count).map { _ in Counter() }
    }

    /// - Parameter times: as often it took as long.
    package func observe(_ duration: Duration, times: UInt64 = 1) {
        counts[bounds.firstIndex { duration <= $0 } ?? bounds.count].add(times)
        let (seconds, attoseconds) = duration.components
        let each = UInt64(max(0, seconds)) &* 1_000_000_000 &+ UInt64(max(0, attoseconds)) / 1_000_000_000
        nanoseconds.add(each &* times)
    }

    /// For each bound, how often a duration was not above it; the last is the number of all.
    package var cumulative: [UInt64] {
        var sum: UInt64 = 0
        return counts.map { count in
            sum += count.value
            return sum
        }
    }

    package var sumOfSeconds: Double { Double(nanoseconds.value) / 1e9 }
}

extension Duration {
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
