// SPDX-License-Identifier: Apache-2.0

/// The bytes that a store keeps of a checkpoint, version 2:
///
///     version     1 byte, 0x02
///     upTo, readFrom, timeBefore (milliseconds)    variable each
///     lastMinute  variable; 0 for none, else the minute plus 1
///     kinds       variable count; for each: 1 byte length, name
///     sequences   numbers by node
///     confirmed   numbers by node: the confirmed missing chunks
///     settings    1 byte: 0 for none, or 1; then the window in milliseconds, its limit, and late in minutes; variable each
///
/// Numbers by node:
///
///     nodes       variable count; for each, ascending:
///                   node 16 bytes, ranges variable count, for each range: its first number less the number before it,
///                   its length less 1; variable each
///
/// Version 1 ends behind the sequences.
extension Checkpoint {
    package static let version: UInt8 = 2
    private static let versionOfSequencesAlone: UInt8 = 1
    /// As many as `KindTable` can number.
    private static let kindsLimit = Int(UInt16.max)

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 40 + (sequences.count + confirmedMissing.count) * 20)
        writer.write(Checkpoint.version)
        writer.writeVariable(UInt64(upTo.value))
        writer.writeVariable(UInt64(readFrom.value))
        writer.writeVariable(UInt64(max(0, timeBefore.milliseconds)))
        writer.writeVariable(lastMinute.map { UInt64($0.sinceEpoch) + 1 } ?? 0)
        writer.writeKinds(kinds)
        Checkpoint.encode(sequences, to: &writer)
        Checkpoint.encode(confirmedMissing, to: &writer)
        writer.write(UInt8(settings == nil ? 0 : 1))
        if let settings {
            writer.writeVariable(UInt64(settings.windowMilliseconds))
            writer.writeVariable(UInt64(settings.windowLimit))
            writer.writeVariable(UInt64(settings.lateMinutes))
        }
        return writer.bytes
    }

    private static func encode(_ sequences: [NodeID: SequenceRanges], to writer: inout ByteWriter) {
        writer.writeVariable(UInt64(sequences.count))
        for (node, numbers) in sequences.sorted(by: { $0.key < $1.key }) {
            writer.write(node.bits)
            writer.writeVariable(UInt64(numbers.ranges.count))
            var previous: UInt64 = 0
            for range in numbers.ranges {
                writer.writeVariable(range.lowerBound - previous)
                writer.writeVariable(range.upperBound - range.lowerBound)
                previous = range.upperBound
            }
        }
    }

    /// - Throws: `.damaged` when the bytes are not a checkpoint of a known version.
    package init(decoding bytes: [UInt8]) throws(StoreError) {
        var reader = ByteReader(bytes)
        do {
            let version = try reader.read(UInt8.self)
            guard version == Checkpoint.version || version == Checkpoint.versionOfSequencesAlone else {
                throw StoreError.damaged(
                    "a checkpoint of version \(version); this tally reads versions 1 and 2. A newer tally wrote it: use that one"
                )
            }
            upTo = LogOffset(try Checkpoint.decodeNumber(from: &reader))
            readFrom = LogOffset(try Checkpoint.decodeNumber(from: &reader))
            timeBefore = Timestamp(milliseconds: try Checkpoint.decodeNumber(from: &reader))
            lastMinute = try Checkpoint.decodeMinute(from: &reader)
            kinds = try reader.readKinds(most: Checkpoint.kindsLimit)
            sequences = try Checkpoint.decodeSequences(from: &reader)
            if version == Checkpoint.version {
                confirmedMissing = try Checkpoint.decodeSequences(from: &reader)
                settings = try Checkpoint.decodeSettings(from: &reader)
            } else {
                confirmedMissing = [:]
                settings = nil
            }
            let isPossible = reader.remaining == 0 && readFrom >= LogOffset(1) && readFrom <= upTo.next
            guard isPossible, Set(kinds).count == kinds.count else { throw ByteReadingError.malformedInteger }
        } catch let error as StoreError {
            throw error
        } catch {
            throw .damaged("the stored checkpoint is no checkpoint")
        }
    }

    private static func decodeNumber(from reader: inout ByteReader) throws -> Int64 {
        guard let number = Int64(exactly: try reader.readVariable()), number < .max else {
            throw ByteReadingError.malformedInteger
        }
        return number
    }

    private static func decodeMinute(from reader: inout ByteReader) throws -> Minute? {
        let number = try decodeNumber(from: &reader)
        if number == 0 { return nil }
        guard let minute = Minute(sinceEpoch: number - 1) else { throw ByteReadingError.malformedInteger }
        return minute
    }

    /// A sequence number so much higher than another.
    private static func decodeSequence(after previous: UInt64, from reader: inout ByteReader) throws -> UInt64 {
        let (number, overflow) = previous.addingReportingOverflow(try reader.readVariable())
        guard !overflow, number >= 1, number <= Chunk.lastSequence else { throw ByteReadingError.malformedInteger }
        return number
    }

    private static func decodeSequences(from reader: inout ByteReader) throws -> [NodeID: SequenceRanges] {
        var sequences: [NodeID: SequenceRanges] = [:]
        for _ in 0..<(try decodeNumber(from: &reader)) {
            let node = NodeID(bits: try reader.read(UInt128.self))
            var ranges: [ClosedRange<UInt64>] = []
            var previous: UInt64 = 0
            for _ in 0..<(try decodeNumber(from: &reader)) {
                let first = try decodeSequence(after: previous, from: &reader)
                let last = try decodeSequence(after: first, from: &reader)
                ranges.append(first...last)
                previous = last
            }
            guard let numbers = SequenceRanges(ranges) else { throw ByteReadingError.malformedInteger }
            sequences[node] = numbers
        }
        return sequences
    }

    private static func decodeSettings(from reader: inout ByteReader) throws -> CountingSettings? {
        switch try reader.read(UInt8.self) {
        case 0: return nil
        case 1:
            return CountingSettings(
                windowMilliseconds: try decodeNumber(from: &reader), windowLimit: Int(try decodeNumber(from: &reader)),
                lateMinutes: try decodeNumber(from: &reader))
        default: throw ByteReadingError.malformedInteger
        }
    }
}
