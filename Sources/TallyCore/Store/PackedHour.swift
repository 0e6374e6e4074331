// SPDX-License-Identifier: Apache-2.0

/// The 60 counts of an hour in few bytes; the format is described in `docs/sqlite-schema.md`.
///
///     width     1 byte, 0 to 63; every other value is kept for formats to come
///     low bits  60 fields of `width` bits, in the order of the minutes, the lowest bit first; the rest of the last byte is 0
///     patches   for each minute whose count needs more than `width` bits, ascending:
///                 1 byte: minute (0 to 59) in the lower six bits, and in the upper two `step`
///                 with `high` = count >> width: `step` is high - 1 when `high` is 1, 2 or 3;
///                 else `step` is 3 and `high` - 4 follows, variable
///
/// The writer takes the width with the fewest bytes, the lowest of equals: so busy hours become plain fields of a few
/// bits, an hour with one click two bytes, and one burst among quiet minutes costs its own bytes alone.
package enum PackedHour {
    private static let minutes = 60
    private static let highestWidth: UInt8 = 63
    /// The `step` that says: the rest of the count follows.
    private static let longStep: UInt64 = 3

    /// - Parameter counts: exactly 60, none negative.
    package static func encode(_ counts: [Int64]) -> [UInt8] {
        precondition(counts.count == minutes, "an hour has 60 counts")
        precondition(counts.allSatisfy { $0 >= 0 }, "a count is never negative")
        let width = bestWidth(for: counts)
        var writer = ByteWriter(capacity: packedBytes(width: width) + 8)
        writer.write(UInt8(width))
        writeLowBits(of: counts, width: width, to: &writer)
        for (minute, count) in counts.enumerated() {
            let high = UInt64(count) >> UInt64(width)
            guard high > 0 else { continue }
            let step = min(high - 1, longStep)
            writer.write(UInt8(minute) | UInt8(step) << 6)
            if step == longStep { writer.writeVariable(high - 1 - longStep) }
        }
        return writer.bytes
    }

    /// - Returns: exactly 60 counts, none negative.
    package static func decode(_ bytes: [UInt8]) throws(PackedHourError) -> [Int64] {
        guard let width = bytes.first else { throw .empty }
        guard width <= highestWidth else { throw .unknownWidth(width) }
        let end = packedBytes(width: Int(width))
        guard bytes.count >= end else { throw .truncated(bytes: bytes.count, needed: end) }
        var counts = try readLowBits(bytes[1..<end], width: Int(width))
        try readPatches(bytes[end...], width: Int(width), into: &counts)
        return counts
    }

    /// The bytes of the width and the low bits.
    private static func packedBytes(width: Int) -> Int { 1 + (minutes * width + 7) / 8 }

    private static func bestWidth(for counts: [Int64]) -> Int {
        let widest = Int64.bitWidth - (counts.max() ?? 0).leadingZeroBitCount
        var best = (width: widest, bytes: packedBytes(width: widest))
        for width in (0..<widest).reversed() {
            var bytes = packedBytes(width: width)
            for count in counts where count > 0 { bytes += patchBytes(of: UInt64(count), width: width) }
            if bytes <= best.bytes { best = (width, bytes) }
        }
        return best.width
    }

    private static func patchBytes(of count: UInt64, width: Int) -> Int {
        let high = count &>> UInt64(width)
        if high <= longStep { return high == 0 ? 0 : 1 }
        let bits = UInt64.bitWidth - (high - 1 - longStep).leadingZeroBitCount
        return 1 + max(1, (bits + 6) / 7)
    }

    private static func writeLowBits(of counts: [Int64], width: Int, to writer: inout ByteWriter) {
        let mask = (UInt64(1) << UInt64(width)) - 1
        // 128 bits, since up to 7 bits wait for their byte when 63 more come.
        var waiting: UInt128 = 0
        var waitingBits = 0
        for count in counts {
            waiting |= UInt128(UInt64(count) & mask) << UInt128(waitingBits)
            waitingBits += width
            while waitingBits >= 8 {
                writer.write(UInt8(truncatingIfNeeded: waiting))
                waiting >>= 8
                waitingBits -= 8
            }
        }
        if waitingBits > 0 { writer.write(UInt8(truncatingIfNeeded: waiting)) }
    }

    private static func readLowBits(_ bytes: ArraySlice<UInt8>, width: Int) throws(PackedHourError) -> [Int64] {
        guard width > 0 else { return Array(repeating: 0, count: minutes) }
        var counts: [Int64] = []
        counts.reserveCapacity(minutes)
        let mask = (UInt64(1) << UInt64(width)) - 1
        var waiting: UInt128 = 0
        var waitingBits = 0
        for byte in bytes {
            waiting |= UInt128(byte) << UInt128(waitingBits)
            waitingBits += 8
            while waitingBits >= width, counts.count < minutes {
                counts.append(Int64(UInt64(truncatingIfNeeded: waiting) & mask))
                waiting >>= UInt128(width)
                waitingBits -= width
            }
        }
        guard waiting == 0 else { throw .paddingNotZero }
        return counts
    }

    private static func readPatches(
        _ bytes: ArraySlice<UInt8>, width: Int, into counts: inout [Int64]
    ) throws(PackedHourError) {
        var reader = ByteReader(bytes)
        var nextMinute = 0
        while let head = try? reader.read(UInt8.self) {
            let minute = Int(head & 0x3F)
            guard minute < minutes, minute >= nextMinute else { throw .minuteOutOfOrder(minute) }
            var high = UInt64(head >> 6) + 1
            if high > longStep {
                guard let rest = try? reader.readVariable() else { throw .malformedCount(minute: minute) }
                high = high.addingReportingOverflow(rest).overflow ? .max : high + rest
            }
            guard high <= UInt64(Int64.max) >> UInt64(width) else { throw .malformedCount(minute: minute) }
            counts[minute] |= Int64(high) << Int64(width)
            nextMinute = minute + 1
        }
    }
}

/// Why bytes are no packed hour.
package enum PackedHourError: Error, Equatable, Sendable {
    case empty
    /// The first byte is no width this tally knows.
    case unknownWidth(UInt8)
    case truncated(bytes: Int, needed: Int)
    case paddingNotZero
    /// A patch of a minute beyond 59, or not after the one before it.
    case minuteOutOfOrder(Int)
    /// A count that ends too early, isn't written the shortest way, or is larger than `Int64.max`.
    case malformedCount(minute: Int)
}

extension PackedHourError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "an hour of no bytes"
        case .unknownWidth(let width): "an hour of format \(width); this tally reads widths from 0 to 63"
        case .truncated(let bytes, let needed): "an hour of \(bytes) bytes that needs at least \(needed)"
        case .paddingNotZero: "an hour whose padding is not zero"
        case .minuteOutOfOrder(let minute): "an hour with minute \(minute) out of order"
        case .malformedCount(let minute): "an hour whose count of minute \(minute) can't be read"
        }
    }
}
