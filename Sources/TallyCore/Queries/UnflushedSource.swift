// SPDX-License-Identifier: Apache-2.0

/// Somebody who counts logs: this process, or another that can be asked.
package protocol UnflushedSource: Sendable {
    /// What it has beyond the store. It takes about a second at most, whatever happens.
    func unflushed(in range: RowRange) async -> UnflushedAnswer

    /// All that was counted in the range, when it is in memory, and nobody else counts into the store.
    func held(in range: RowRange) -> [StoredRow]?

    /// Of visitors, those that the store may lack; of another process none.
    func sightings(of banners: Set<BannerID>, in days: ClosedRange<Day>) -> [Sighting]
}

extension UnflushedSource {
    package func held(in range: RowRange) -> [StoredRow]? { nil }
    package func sightings(of banners: Set<BannerID>, in days: ClosedRange<Day>) -> [Sighting] { [] }
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
