// SPDX-License-Identifier: Apache-2.0

/// Sightings that the store may lack: of each banner and day the highest rank of each register.
struct HeldSightings: Sendable {
    private struct Sketch: Hashable {
        let banner: BannerID
        let day: Day
    }

    private var ranks: [Sketch: [UInt16: UInt8]] = [:]
    private(set) var count = 0

    mutating func note(_ sighting: Sighting) {
        let place = sighting.place
        let known = ranks[HeldSightings.sketch(of: place), default: [:]][place.register]
        if known ?? 0 >= sighting.rank { return }
        ranks[HeldSightings.sketch(of: place), default: [:]][place.register] = sighting.rank
        if known == nil { count += 1 }
    }

    /// The store has this one; a higher rank that came meanwhile stays.
    mutating func didStore(_ sighting: Sighting) {
        let sketch = HeldSightings.sketch(of: sighting.place)
        guard ranks[sketch]?[sighting.place.register] == sighting.rank else { return }
        ranks[sketch]?[sighting.place.register] = nil
        if ranks[sketch]?.isEmpty == true { ranks[sketch] = nil }
        count -= 1
    }

    var all: [Sighting] { ranks.flatMap { HeldSightings.sightings(of: $0.key, $0.value) } }

    func all(of banners: Set<BannerID>, in days: ClosedRange<Day>) -> [Sighting] {
        let numbers = Int64(days.lowerBound.sinceEpoch)...Int64(days.upperBound.sinceEpoch)
        // Looking all of them up would take longer than looking through what there is.
        guard numbers.count * banners.count < ranks.count else {
            return ranks.filter { days.contains($0.key.day) && banners.contains($0.key.banner) }
                .flatMap { HeldSightings.sightings(of: $0.key, $0.value) }
        }
        return banners.flatMap { banner in
            numbers.compactMap { Day(sinceEpoch: $0) }.flatMap { day -> [Sighting] in
                let sketch = Sketch(banner: banner, day: day)
                return HeldSightings.sightings(of: sketch, ranks[sketch] ?? [:])
            }
        }
    }

    private static func sketch(of place: Sighting.Place) -> Sketch { Sketch(banner: place.banner, day: place.day) }

    private static func sightings(of sketch: Sketch, _ ranks: [UInt16: UInt8]) -> [Sighting] {
        ranks.map { register, rank in
            Sighting(
                place: Sighting.Place(banner: sketch.banner, day: sketch.day, register: register), rank: rank)
        }
    }
}
