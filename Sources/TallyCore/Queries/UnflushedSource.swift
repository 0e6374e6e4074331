// SPDX-License-Identifier: Apache-2.0

/// Somebody who counts logs: this process, or another that can be asked.
package protocol UnflushedSource: Sendable {
    /// What it has beyond the store. It takes about a second at most, whatever happens.
    func unflushed(in range: RowRange) async -> UnflushedAnswer

    /// All that was counted in the range, when it is in memory, and nobody else counts into the store.
    func held(in range: RowRange) -> [StoredRow]?
}

extension UnflushedSource {
    package func held(in range: RowRange) -> [StoredRow]? { nil }
}

package struct UnflushedAnswer: Sendable {
    package var views: [LogView]
    /// Who could not be asked, and why.
    package var problems: [String]

    package init(views: [LogView] = [], problems: [String] = []) {
        self.views = views
        self.problems = problems
    }
}
