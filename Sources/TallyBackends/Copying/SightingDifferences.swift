// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// In how many places the sightings of two stores differ, by day.
package struct SightingDifferences: Equatable, Sendable {
    package struct Difference: Equatable, Sendable {
        package let day: Day
        package let places: Int
    }

    /// Sorted by day.
    package private(set) var days: [Difference] = []

    package init() {}

    mutating func add(_ places: Int, on day: Day) {
        if places > 0 { days.append(Difference(day: day, places: places)) }
    }
}

extension SightingDifferences.Difference: CustomStringConvertible {
    package var description: String {
        "visitors on \(day): \(places) of the registers that they were sighted in differ"
    }
}

/// The highest ranks that a store has of a day.
struct SightingRanks {
    private let ranks: [Sighting.Place: UInt8]

    init(of day: Day, in store: any Store) async throws(StoreError) {
        let sightings = try await store.sightings(of: nil, in: day...day)
        ranks = Dictionary(sightings.map { ($0.place, $0.rank) }, uniquingKeysWith: max)
    }

    var count: Int { ranks.count }

    /// What the other would have to be given.
    func higher(than other: SightingRanks) -> [Sighting] {
        ranks.filter { place, rank in rank > other.ranks[place] ?? 0 }.map { Sighting(place: $0.key, rank: $0.value) }
    }
}

extension Store {
    /// Sightings of earlier days are dropped, or soon will be.
    func firstDayOfSightings() async throws(StoreError) -> Day {
        var first = Day.first
        for log in try await logs() { first = max(first, Day(of: try await horizon(of: log).dropped)) }
        return first
    }
}
