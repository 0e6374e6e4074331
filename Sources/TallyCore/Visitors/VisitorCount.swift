// SPDX-License-Identifier: Apache-2.0

/// How many different visitors came to a banner on a day: an estimate, as far off as `VisitorSketch.standardError` says.
package struct VisitorCount: Hashable, Sendable {
    package let banner: BannerID
    package let day: Day
    /// At least 1.
    package let visitors: Int64

    /// - Returns: of each banner and day that has sightings, sorted by (banner, day).
    package static func all(_ sightings: [Sighting]) -> [VisitorCount] {
        struct Key: Hashable {
            let banner: BannerID
            let day: Day
        }
        let sketches = Dictionary(grouping: sightings) { Key(banner: $0.place.banner, day: $0.place.day) }
        return sketches.map { key, sightings in
            VisitorCount(banner: key.banner, day: key.day, visitors: VisitorSketch(sightings).estimate)
        }.sorted { ($0.banner, $0.day) < ($1.banner, $1.day) }
    }
}
