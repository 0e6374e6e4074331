// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The table `tally_sightings`, which is alike in every store and layout, and what the view `tally_visitors` makes of it.
enum SightingTable {
    static let columns = "banner_id, day, register, rank"

    /// `VisitorSketch.estimate` in SQL, before it is rounded. It stands in views that were released: it never changes.
    ///
    /// - Parameters:
    ///   - unseen: the number of registers that have no rank, as a floating-point number.
    ///   - seen: the sum of 2 to the power of -rank over the others.
    ///   - logarithm: what the server calls the natural one.
    static func estimate(unseen: String, seen: String, logarithm: String) -> String {
        let raw = "0.7213 / (1 + 1.079 / 1024) * 1048576 / (\(unseen) + \(seen))"
        return """
            CASE WHEN \(raw) <= 2560 AND \(unseen) > 0
                THEN 1024 * \(logarithm)(1024 / \(unseen)) ELSE \(raw) END
            """
    }
}

extension Sighting {
    /// One that was read.
    /// - Parameter failure: makes the error that is thrown when tally can't have written it.
    static func stored<Failure: Error>(
        banner: BannerID, day: Int64, register: Int64, rank: Int64, or failure: (String) -> Failure
    ) throws(Failure) -> Sighting {
        guard let number = UInt16(exactly: register), let level = UInt8(exactly: rank), let date = Day(sinceEpoch: day),
            Sighting.isValid(register: UInt64(number), rank: level)
        else {
            throw failure(
                "a sighting of banner \(banner) on day \(day) in register \(register) with rank \(rank); days are from 0 to "
                    + "\(Day.last.sinceEpoch), registers below \(VisitorSketch.registers), ranks from 1 to "
                    + "\(VisitorSketch.highestRank)")
        }
        return Sighting(place: Place(banner: banner, day: date, register: number), rank: level)
    }
}

extension [Sighting] {
    /// By (banner, day, register), as the tables are.
    func inTableOrder() -> [Sighting] {
        sorted {
            ($0.place.banner, $0.place.day, $0.place.register) < ($1.place.banner, $1.place.day, $1.place.register)
        }
    }
}
