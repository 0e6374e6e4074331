// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many bytes the bodies of all requests on their way may take together: many clients with large bodies at once are
/// told to come again rather than exhaust the memory.
package final class BodyBudget: Sendable {
    private let limit: Int
    private let taken = Atomic<Int>(0)

    package init(bytes limit: Int) { self.limit = limit }

    /// What one request has taken; it gives it back when it was answered.
    final class Share: Sendable {
        /// Of the request that is being answered.
        @TaskLocal static var current: Share?

        private let budget: BodyBudget
        private let bytes = Atomic<Int>(0)

        init(of budget: BodyBudget) { self.budget = budget }

        func take(_ count: Int) throws(BodiesTooLarge) {
            bytes.add(count, ordering: .relaxed)
            guard budget.taken.add(count, ordering: .relaxed).newValue <= budget.limit else {
                throw BodiesTooLarge(limit: budget.limit)
            }
        }

        deinit { budget.taken.subtract(bytes.load(ordering: .relaxed), ordering: .relaxed) }
    }
}
