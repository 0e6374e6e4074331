// SPDX-License-Identifier: Apache-2.0

/// How far a log is in the store, and what is needed to go on from there.
package struct Checkpoint: Equatable, Sendable {
    /// Every row is in the store up to this offset.
    package var upTo: LogOffset
    /// Reading begins here, not above `upTo.next`: the event ids of the window stand from here on. The log must keep it.
    package var readFrom: LogOffset
    /// The log's time before `readFrom`.
    package var timeBefore: Timestamp
    /// The latest minute of any row at or below `upTo`; nil when there is none.
    package var lastMinute: Minute?
    /// The kinds counted up to `upTo`, in the order of their first event.
    package var kinds: [Kind]
    /// The chunks counted up to `upTo`, by node.
    package var sequences: [NodeID: SequenceRanges]

    /// Before the first chunk.
    package static let start = Checkpoint(
        upTo: .none, readFrom: LogOffset(1), timeBefore: .epoch, lastMinute: nil, sequences: [:])

    package init(
        upTo: LogOffset, readFrom: LogOffset, timeBefore: Timestamp, lastMinute: Minute?, kinds: [Kind] = [],
        sequences: [NodeID: SequenceRanges]
    ) {
        self.upTo = upTo
        self.readFrom = readFrom
        self.timeBefore = timeBefore
        self.lastMinute = lastMinute
        self.kinds = kinds
        self.sequences = sequences
    }
}

extension Checkpoint {
    /// A checkpoint that comes late never takes a log back.
    /// - Parameter saved: the checkpoint of the same log, if there is one.
    package func replaces(_ saved: Checkpoint?) -> Bool { saved.map { upTo >= $0.upTo } ?? true }
}

/// The bytes that a store keeps of a checkpoint, version 1:
///
///     version     1 byte, 0x01
///     upTo, readFrom, timeBefore (milliseconds)    variable each
///     lastMinute  variable; 0 for none, else the minute plus 1
///     kinds       variable count; for each: 1 byte length, name
///     nodes       variable count; for each, ascending:
///                   node 16 bytes, ranges variable count, for each range: its first number less the number before it,
///                   its length less 1; variable each
extension Checkpoint {
    package static let version: UInt8 = 1
    /// As many as `KindTable` can number.
    private static let kindsLimit = Int(UInt16.max)

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 32 + sequences.count * 20)
        writer.write(Checkpoint.version)
        writer.writeVariable(UInt64(upTo.value))
        writer.writeVariable(UInt64(readFrom.value))
        writer.writeVariable(UInt64(max(0, timeBefore.milliseconds)))
        writer.writeVariable(lastMinute.map { UInt64($0.sinceEpoch) + 1 } ?? 0)
        writer.writeKinds(kinds)
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
        return writer.bytes
    }

    /// - Throws: `.damaged` when the bytes are not a checkpoint of a known version.
    package init(decoding bytes: [UInt8]) throws(StoreError) {
        var reader = ByteReader(bytes)
        do {
            let version = try reader.read(UInt8.self)
            guard version == Checkpoint.version else {
                throw StoreError.damaged(
                    "a checkpoint of version \(version); this tally reads version \(Checkpoint.version)")
            }
            upTo = LogOffset(try Checkpoint.decodeNumber(from: &reader))
            readFrom = LogOffset(try Checkpoint.decodeNumber(from: &reader))
            timeBefore = Timestamp(milliseconds: try Checkpoint.decodeNumber(from: &reader))
            lastMinute = try Checkpoint.decodeMinute(from: &reader)
            kinds = try reader.readKinds(most: Checkpoint.kindsLimit)
            sequences = try Checkpoint.decodeSequences(from: &reader)
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
}
