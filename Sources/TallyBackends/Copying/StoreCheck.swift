// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Compares what two stores say about each minute, of any kind and layout, piece by piece.
package struct StoreCheck: Sendable {
    package struct Report: Equatable, Sendable {
        /// Minutes of a banner and kind with a count in the first store.
        package var minutesOfFirst = 0
        package var minutesOfSecond = 0
        package var differences = Differences()
        /// Registered banners, or known ones, that are not the same in both.
        package var differentBanners: [BannerID] = []

        package init() {}
    }

    private let first: any Store
    private let second: any Store

    package init(_ first: any Store, _ second: any Store) {
        self.first = first
        self.second = second
    }

    /// - Parameter progress: called after each piece with the pieces done and all of them; what it throws ends the work.
    package func run(progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }) async throws -> Report {
        var report = Report()
        report.differentBanners = try await differentBanners()
        let totals =
            try await first.totals(in: .everything, with: [], of: StoreCopy.noLog)
            + second.totals(in: .everything, with: [], of: StoreCopy.noLog)
        let pieces = StorePieces.ranges(of: totals)
        for (index, piece) in pieces.enumerated() {
            let one = MinuteSums(try await first.rows(in: piece))
            let other = MinuteSums(try await second.rows(in: piece))
            report.minutesOfFirst += one.counts.count
            report.minutesOfSecond += other.counts.count
            report.differences.compare(one, other)
            try progress(index + 1, pieces.count)
        }
        return report
    }

    private func differentBanners() async throws(StoreError) -> [BannerID] {
        let one = Set(try await first.banners())
        let other = Set(try await second.banners())
        return Set(one.symmetricDifference(other).map(\.id)).sorted()
    }
}
