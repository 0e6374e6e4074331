// SPDX-License-Identifier: Apache-2.0

/// The sightings of a chunk, the last section in version 2:
///
///     sightings     variable count, at least 1 in version 2; for each, sorted by (day, banner, register):
///                     day       signed, less the day before
///                     banner    variable; less the banner before when the day is the same
///                     register  variable; less the register before when day and banner are the same
///                     rank      1 byte
extension Chunk {
    func encodeSightings(to writer: inout ByteWriter) {
        writer.writeVariable(UInt64(sightings.count))
        var day: Int64 = 0
        var banner: Int64 = 0
        var register: UInt16 = 0
        for sighting in sightings {
            let place = sighting.place
            let dayStep = Int64(place.day.sinceEpoch) - day
            if dayStep != 0 { (banner, register) = (0, 0) }
            let bannerStep = place.banner.value - banner
            if bannerStep != 0 { register = 0 }
            writer.writeSigned(dayStep)
            writer.writeVariable(UInt64(bannerStep))
            writer.writeVariable(UInt64(place.register - register))
            writer.write(sighting.rank)
            (day, banner, register) = (day + dayStep, place.banner.value, place.register)
        }
    }

    /// - Parameter allowed: how many there may be.
    static func decodeSightings(from reader: inout ByteReader, allowed: ClosedRange<Int>) throws -> [Sighting] {
        let count = try reader.readVariable()
        guard let number = Int(exactly: count), allowed.contains(number) else {
            throw ChunkDecodingError.malformed("\(count) sightings")
        }
        if number == 0 { return [] }
        var sightings: [Sighting] = []
        sightings.reserveCapacity(Int(count))
        for _ in 0..<count {
            let sighting = try decodeSighting(from: &reader, after: sightings.last)
            if let last = sightings.last, last.place >= sighting.place {
                throw ChunkDecodingError.malformed("sightings out of order")
            }
            sightings.append(sighting)
        }
        return sightings
    }

    private static func decodeSighting(from reader: inout ByteReader, after last: Sighting?) throws -> Sighting {
        let dayStep = try reader.readSigned()
        let bannerStep = try reader.readVariable()
        let registerStep = try reader.readVariable()
        let rank = try reader.read(UInt8.self)
        let sameDay = dayStep == 0 ? last : nil
        let sameBanner = bannerStep == 0 ? sameDay : nil
        let (dayNumber, dayOverflow) = Int64(last?.place.day.sinceEpoch ?? 0).addingReportingOverflow(dayStep)
        let (bannerNumber, bannerOverflow) = UInt64(sameDay?.place.banner.value ?? 0)
            .addingReportingOverflow(bannerStep)
        let (register, registerOverflow) = UInt64(sameBanner?.place.register ?? 0).addingReportingOverflow(registerStep)
        guard !dayOverflow, !bannerOverflow, !registerOverflow, let day = Day(sinceEpoch: dayNumber),
            let banner = Int64(exactly: bannerNumber).flatMap({ BannerID($0) }),
            Sighting.isValid(register: register, rank: rank)
        else { throw ChunkDecodingError.malformed("a sighting out of range") }
        let place = Sighting.Place(banner: banner, day: day, register: UInt16(register))
        return Sighting(place: place, rank: rank)
    }
}
