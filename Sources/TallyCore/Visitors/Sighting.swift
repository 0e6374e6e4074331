// SPDX-License-Identifier: Apache-2.0

/// That somebody came to a banner on a day, as `VisitorSketch` notes it. Nothing of it leads back to who it was.
///
/// The highest rank of a place says all, so that sightings may be repeated, left out where a higher one is known, and merged
/// in any order: what is stored is the highest of the log up to an offset, and nobody needs to know up to which.
package struct Sighting: Hashable, Sendable {
    /// Where it is noted.
    package struct Place: Hashable, Sendable {
        package var banner: BannerID
        package var day: Day
        /// Below `VisitorSketch.registers`.
        package var register: UInt16

        package init(banner: BannerID, day: Day, register: UInt16) {
            self.banner = banner
            self.day = day
            self.register = register
        }
    }

    /// What a visitor's bits say, for any banner and day.
    package struct Mark: Hashable, Sendable {
        package var register: UInt16
        package var rank: UInt8

        package init(register: UInt16, rank: UInt8) {
            precondition(Sighting.isValid(register: UInt64(register), rank: rank), "a register of a sketch, and a rank")
            self.register = register
            self.rank = rank
        }

        /// - Parameter bits: of a hash of the visitor and the banner, each as likely to be set as not.
        package init(bits: UInt64) {
            register = UInt16(bits >> (64 - VisitorSketch.registerBits))
            // The bit below keeps it from being more than there are bits.
            let rest = bits << VisitorSketch.registerBits | 1 << (VisitorSketch.registerBits - 1)
            rank = UInt8(rest.leadingZeroBitCount + 1)
        }
    }

    package var place: Place
    /// From 1 to `VisitorSketch.highestRank`.
    package var rank: UInt8

    package init(place: Place, rank: UInt8) {
        self.place = place
        self.rank = rank
    }

    package init(_ mark: Mark, banner: BannerID, day: Day) {
        self.init(place: Place(banner: banner, day: day, register: mark.register), rank: mark.rank)
    }

    package static func isValid(register: UInt64, rank: UInt8) -> Bool {
        register < VisitorSketch.registers && rank >= 1 && rank <= VisitorSketch.highestRank
    }
}

extension Sighting.Place: Comparable {
    /// The order of a chunk: by (day, banner, register).
    package static func < (left: Sighting.Place, right: Sighting.Place) -> Bool {
        if left.day != right.day { return left.day < right.day }
        if left.banner != right.banner { return left.banner < right.banner }
        return left.register < right.register
    }
}

extension [Sighting.Place: UInt8] {
    /// Keeps the highest rank of each place.
    mutating func note(_ sighting: Sighting) {
        self[sighting.place] = Swift.max(self[sighting.place] ?? 0, sighting.rank)
    }

    var sightings: [Sighting] { map { Sighting(place: $0, rank: $1) } }
}

extension [Sighting] {
    /// Sorted by place, each once, with its highest rank.
    package func merged() -> [Sighting] {
        var merged: [Sighting] = []
        merged.reserveCapacity(count)
        for sighting in sorted(by: { $0.place < $1.place }) {
            if let last = merged.last, last.place == sighting.place {
                merged[merged.count - 1].rank = Swift.max(last.rank, sighting.rank)
            } else {
                merged.append(sighting)
            }
        }
        return merged
    }
}
