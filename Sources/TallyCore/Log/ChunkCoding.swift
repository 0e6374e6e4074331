// SPDX-License-Identifier: Apache-2.0

/// The bytes of a chunk; `docs/chunk-format.md` describes them with an example.
///
///     version       1 byte: 0x03 when unsettled sequences are declared, else 0x02 when there are sightings, else 0x01
///     node          16 bytes, little-endian
///     sequence      variable
///     time          variable, milliseconds since 1970
///     kinds         variable count; for each: 1 byte length, name
///     deltas        variable count; for each, sorted by (kind, minute, banner):
///                     kind      variable, less the kind before
///                     minute    signed, less the minute before
///                     banner    variable; less the banner before when kind and minute are the same
///                     count     variable
///     identified    variable count; for each, in order of arrival:
///                     id        16 bytes, little-endian
///                     kind      1 byte
///                     minute    signed, less the minute before
///                     banner    variable
///                     count     variable
///     sightings     as `ChunkCoding+Sightings.swift` says; in versions 2 and 3
///     unsettled     as `ChunkCoding+Unsettled.swift` says; in version 3
extension Chunk {
    package static let version: UInt8 = 1
    package static let versionWithSightings: UInt8 = 2
    package static let versionWithUnsettled: UInt8 = 3
    /// Far beyond what a node can write; leaves room for arithmetic.
    package static let lastSequence = UInt64(Int64.max)

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 64 + deltas.count * 6 + identified.count * 26 + sightings.count * 6)
        writer.write(encodedVersion)
        writer.write(node.bits)
        writer.writeVariable(sequence)
        writer.writeVariable(UInt64(max(0, time.milliseconds)))
        writer.writeKinds(kinds)
        encodeDeltas(to: &writer)
        encodeIdentified(to: &writer)
        if !sightings.isEmpty || unsettled != nil { encodeSightings(to: &writer) }
        if let unsettled { Chunk.encode(unsettled, below: sequence, to: &writer) }
        return writer.bytes
    }

    private var encodedVersion: UInt8 {
        if unsettled != nil { return Chunk.versionWithUnsettled }
        return sightings.isEmpty ? Chunk.version : Chunk.versionWithSightings
    }

    static func isKnown(_ version: UInt8) -> Bool { (Chunk.version...versionWithUnsettled).contains(version) }

    private func encodeDeltas(to writer: inout ByteWriter) {
        writer.writeVariable(UInt64(deltas.count))
        var kind: UInt8 = 0
        var minute: Int64 = 0
        var banner: Int64 = 0
        for delta in deltas {
            let sameRun = delta.kind == kind && Int64(delta.minute.sinceEpoch) == minute
            writer.writeVariable(UInt64(delta.kind - kind))
            writer.writeSigned(Int64(delta.minute.sinceEpoch) - minute)
            writer.writeVariable(UInt64(sameRun ? delta.banner.value - banner : delta.banner.value))
            writer.writeVariable(UInt64(delta.count))
            kind = delta.kind
            minute = Int64(delta.minute.sinceEpoch)
            banner = delta.banner.value
        }
    }

    private func encodeIdentified(to writer: inout ByteWriter) {
        writer.writeVariable(UInt64(identified.count))
        var minute: Int64 = 0
        for entry in identified {
            writer.write(entry.id.bits)
            writer.write(entry.delta.kind)
            writer.writeSigned(Int64(entry.delta.minute.sinceEpoch) - minute)
            writer.writeVariable(UInt64(entry.delta.banner.value))
            writer.writeVariable(UInt64(entry.delta.count))
            minute = Int64(entry.delta.minute.sinceEpoch)
        }
    }

    /// - Throws: when the bytes are not exactly one chunk of a known version, within all limits and in canonical order.
    package init(decoding bytes: ArraySlice<UInt8>) throws(ChunkDecodingError) {
        var reader = ByteReader(bytes)
        do {
            let version = try reader.read(UInt8.self)
            guard Chunk.isKnown(version) else { throw ChunkDecodingError.unknownVersion(version) }
            node = NodeID(bits: try reader.read(UInt128.self))
            sequence = try reader.readVariable()
            guard sequence >= 1, sequence <= Chunk.lastSequence else {
                throw ChunkDecodingError.malformed("a sequence out of range")
            }
            guard let milliseconds = Int64(exactly: try reader.readVariable()) else {
                throw ChunkDecodingError.malformed("a time beyond 64 bits")
            }
            time = Timestamp(milliseconds: milliseconds)
            kinds = try Chunk.decodeKinds(from: &reader)
            deltas = try Chunk.decodeDeltas(from: &reader, kinds: kinds.count)
            identified = try Chunk.decodeIdentified(
                from: &reader, kinds: kinds.count, most: Limits.chunkEntries - deltas.count)
            sightings = []
            unsettled = nil
            if version >= Chunk.versionWithSightings {
                let rest = Limits.chunkEntries - deltas.count - identified.count
                // A chunk has one spelling: without sightings it is of version 2 in no case.
                let fewest = version == Chunk.versionWithSightings ? 1 : 0
                sightings = try Chunk.decodeSightings(from: &reader, allowed: fewest...max(fewest, rest))
            }
            if version == Chunk.versionWithUnsettled {
                unsettled = try Chunk.decodeUnsettled(below: sequence, from: &reader)
            }
        } catch let error as ChunkDecodingError {
            throw error
        } catch {
            throw .malformed("it ends early or holds a malformed integer")
        }
        guard reader.remaining == 0 else { throw .malformed("\(reader.remaining) bytes after its end") }
    }

    private static func decodeKinds(from reader: inout ByteReader) throws -> [Kind] {
        let kinds = try reader.readKinds(most: Limits.kinds)
        for (left, right) in zip(kinds, kinds.dropFirst()) where left >= right {
            throw ChunkDecodingError.malformed("kinds out of order")
        }
        return kinds
    }

    private static func decodeDeltas(from reader: inout ByteReader, kinds: Int) throws -> [Delta] {
        let count = try reader.readVariable()
        guard count <= Limits.chunkEntries else { throw ChunkDecodingError.malformed("\(count) deltas") }
        return try reader.readRaw { reader throws in
            try [Delta](unsafeUninitializedCapacity: Int(count)) { deltas, filled in
                var kind: UInt64 = 0
                var minute: Int64 = 0
                var banner: Int64 = 0
                for place in 0..<Int(count) {
                    // Usually only the banner is another.
                    if place > 0, reader.takeTwoZeros() {
                        let step = try reader.readVariable()
                        if step == 0 { throw ChunkDecodingError.malformed("deltas out of order") }
                        banner = try sum(banner, Int64(exactly: step) ?? -1)
                        var delta = deltas[place - 1]
                        delta.banner = try decodeBanner(banner)
                        delta.count = try decodeCount(reader.readVariable())
                        deltas.initializeElement(at: place, to: delta)
                        filled = place + 1
                        continue
                    }
                    let kindStep = try reader.readVariable()
                    let minuteStep = try reader.readSigned()
                    let bannerStep = try reader.readVariable()
                    let (nextKind, kindOverflow) = kind.addingReportingOverflow(kindStep)
                    guard !kindOverflow, nextKind < kinds else { throw ChunkDecodingError.malformed("an unknown kind") }
                    kind = nextKind
                    minute = try sum(minute, minuteStep)
                    banner = try sum(kindStep == 0 && minuteStep == 0 ? banner : 0, Int64(exactly: bannerStep) ?? -1)
                    let delta = try decodeDelta(
                        kind: UInt8(kind), minute: minute, banner: banner, count: reader.readVariable())
                    if place > 0, !areInOrder(deltas[place - 1], delta) {
                        throw ChunkDecodingError.malformed("deltas out of order")
                    }
                    deltas.initializeElement(at: place, to: delta)
                    filled = place + 1
                }
            }
        }
    }

    private static func decodeIdentified(from reader: inout ByteReader, kinds: Int, most: Int) throws
        -> [IdentifiedDelta]
    {
        let count = try reader.readVariable()
        guard count <= most else { throw ChunkDecodingError.malformed("\(count) identified events") }
        var entries: [IdentifiedDelta] = []
        entries.reserveCapacity(Int(count))
        var minute: Int64 = 0
        for _ in 0..<count {
            let id = EventID(bits: try reader.read(UInt128.self))
            let kind = try reader.read(UInt8.self)
            guard kind < kinds else { throw ChunkDecodingError.malformed("an unknown kind") }
            minute = try sum(minute, try reader.readSigned())
            let banner = Int64(exactly: try reader.readVariable()) ?? 0
            let delta = try decodeDelta(kind: kind, minute: minute, banner: banner, count: reader.readVariable())
            entries.append(IdentifiedDelta(id: id, delta: delta))
        }
        return entries
    }

    @inline(__always)
    private static func sum(_ value: Int64, _ step: Int64) throws -> Int64 {
        let (sum, overflow) = value.addingReportingOverflow(step)
        if overflow { throw ChunkDecodingError.malformed("a number beyond 64 bits") }
        return sum
    }

    @inline(__always)
    private static func decodeDelta(kind: UInt8, minute: Int64, banner: Int64, count: UInt64) throws -> Delta {
        guard let minute = Minute(sinceEpoch: minute) else {
            throw ChunkDecodingError.malformed("a minute out of range")
        }
        return Delta(
            banner: try decodeBanner(banner), kind: kind, minute: minute, count: try decodeCount(count))
    }

    @inline(__always)
    private static func decodeBanner(_ banner: Int64) throws -> BannerID {
        guard let banner = BannerID(banner) else { throw ChunkDecodingError.malformed("a banner id out of range") }
        return banner
    }

    @inline(__always)
    private static func decodeCount(_ count: UInt64) throws -> Int64 {
        guard count >= 1, let count = Int64(exactly: count) else {
            throw ChunkDecodingError.malformed("a count out of range")
        }
        return count
    }
}

package enum ChunkDecodingError: Error, Equatable, Sendable {
    case unknownVersion(UInt8)
    case malformed(String)
}

extension ChunkDecodingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownVersion(let version):
            "a chunk of version \(version); this tally reads versions 1 to 3. A newer tally wrote it: use that one"
        case .malformed(let what): "not a chunk: \(what)"
        }
    }
}
