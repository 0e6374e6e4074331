// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Compares what two stores say about each minute, of any kind and layout, piece by piece, and then the sightings of each
/// day. Where one of them has only hours of a log any more, the hours are compared.
package struct StoreCheck: Sendable {
    package struct Report: Equatable, Sendable {
        /// Minutes of a banner and kind with a count in the first store.
        package var minutesOfFirst = 0
        package var minutesOfSecond = 0
        package var differences = Differences()
        /// Registered banners, or known ones, that are not the same in both.
        package var differentBanners: [BannerID] = []
        /// Of visitors, on the days that both stores keep.
        package var sightingDifferences = SightingDifferences()
        /// How many logs are kept by the minute for less time in one than in the other.
        package var coarserLogs = 0

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
        let horizons = try await horizons(into: &report)
        let totals =
            try await first.totals(in: .everything, with: [])
            + second.totals(in: .everything, with: [])
        let pieces = StorePieces.ranges(of: totals)
        let days = try await daysOfSightings()
        for (index, piece) in pieces.enumerated() {
            let one = MinuteSums(horizons.applied(to: try await first.rows(in: piece), minutesPerTotal: 60))
            let other = MinuteSums(horizons.applied(to: try await second.rows(in: piece), minutesPerTotal: 60))
            report.minutesOfFirst += one.counts.count
            report.minutesOfSecond += other.counts.count
            report.differences.compare(one, other)
            try progress(index + 1, pieces.count + days.count)
        }
        for (index, day) in days.enumerated() {
            let one = try await SightingRanks(of: day, in: first)
            let other = try await SightingRanks(of: day, in: second)
            report.sightingDifferences.add(one.higher(than: other).count + other.higher(than: one).count, on: day)
            try progress(pieces.count + index + 1, pieces.count + days.count)
        }
        return report
    }

    /// The later one of each log.
    private func horizons(into report: inout Report) async throws(StoreError) -> [LogID: Horizon] {
        var horizons: [LogID: Horizon] = [:]
        for log in Set(try await first.logs() + second.logs()) {
            let one = try await first.horizon(of: log)
            let other = try await second.horizon(of: log)
            horizons[log] = one.merged(with: other)
            if one != other { report.coarserLogs += 1 }
        }
        return horizons
    }

    private func daysOfSightings() async throws(StoreError) -> [Day] {
        let kept = max(try await first.firstDayOfSightings(), try await second.firstDayOfSightings())
        let days = Set(try await first.daysWithSightings() + second.daysWithSightings())
        return days.filter { $0 >= kept }.sorted()
    }

    private func differentBanners() async throws(StoreError) -> [BannerID] {
        let one = Set(try await first.banners())
        let other = Set(try await second.banners())
        return Set(one.symmetricDifference(other).map(\.id)).sorted()
    }
}
