// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A number that only grows, as a metric. Adding takes no lock.
package final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    package init() {}

    package func add(_ amount: UInt64 = 1) { count.add(amount, ordering: .relaxed) }

    package var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A number that goes up and down, as a metric. Setting takes no lock.
package final class Gauge: Sendable {
    private let number = Atomic<Int64>(0)

    package init() {}

    package func set(_ value: Int64) { number.store(value, ordering: .relaxed) }
    package func add(_ amount: Int64) { number.add(amount, ordering: .relaxed) }

    package var value: Int64 { number.load(ordering: .relaxed) }
}
