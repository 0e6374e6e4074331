// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A number that only grows, as a metric. Adding takes no lock.
package final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    package init() {}

    package func add(_ amount: UInt64 = 1) { count.add(amount, ordering: .relaxed) }

    package var value: UInt64 { count.load(ordering: .relaxed) }
}
