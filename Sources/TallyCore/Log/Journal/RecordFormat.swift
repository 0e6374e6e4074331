// SPDX-License-Identifier: Apache-2.0

/// How one record stands in a segment, at a multiple of 8:
///
///     length     4 bytes, of the payload
///     checksum   4 bytes, CRC-32C of the identity's 16 bytes, the length, and all that follows here
///     offset     8 bytes
///     synced     8 bytes, the last offset that was durable when this was written
///     payload    the chunk
///     padding    zeros up to a multiple of 8
///
/// The identity is in the checksum so that bytes of another journal, left on the disk, are never taken for a record.
struct RecordFormat: Sendable {
    static let headerByteCount = 24
    static let alignment = 8
    /// The shortest chunk: its version, node, sequence, time, and three counts of zero.
    static let shortestPayload = 22
    /// No record takes less, which bounds how many a damaged stretch can have held.
    static let shortestRecord = byteCount(payload: shortestPayload)

    private let identityChecksum: CRC32C

    init(identity: NodeID) {
        var checksum = CRC32C()
        withUnsafeBytes(of: identity.bits.littleEndian) { checksum.update($0) }
        identityChecksum = checksum
    }

    /// What a record with a payload of this length takes.
    static func byteCount(payload: Int) -> Int {
        (headerByteCount + payload + alignment - 1) / alignment * alignment
    }

    func append(_ payload: [UInt8], offset: LogOffset, synced: LogOffset, to bytes: inout [UInt8]) {
        let start = bytes.count
        let end = start + RecordFormat.byteCount(payload: payload.count)
        append(UInt32(payload.count), to: &bytes)
        append(UInt32(0), to: &bytes)
        append(UInt64(offset.value), to: &bytes)
        append(UInt64(synced.value), to: &bytes)
        bytes.append(contentsOf: payload)
        bytes.append(contentsOf: repeatElement(0, count: end - bytes.count))
        bytes.withUnsafeMutableBytes { buffer in
            let record = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
            let checksum = checksum(of: record)
            buffer.storeBytes(of: checksum.littleEndian, toByteOffset: start + 4, as: UInt32.self)
        }
    }

    private func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private func checksum(of record: UnsafeRawBufferPointer) -> UInt32 {
        var checksum = identityChecksum
        checksum.update(UnsafeRawBufferPointer(rebasing: record[..<4]))
        checksum.update(UnsafeRawBufferPointer(rebasing: record[8...]))
        return checksum.value
    }

    /// What stands at this position.
    func read(at position: Int, in bytes: UnsafeRawBufferPointer) -> RecordReading {
        guard position + RecordFormat.headerByteCount <= bytes.count else { return .nothing }
        func number<Value: FixedWidthInteger>(at place: Int, as type: Value.Type) -> Value {
            Value(littleEndian: bytes.loadUnaligned(fromByteOffset: position + place, as: type))
        }
        let length = Int(number(at: 0, as: UInt32.self))
        if length == 0 { return .nothing }
        guard (RecordFormat.shortestPayload...Limits.chunkBytes).contains(length) else {
            return .flawed(.length(length))
        }
        let end = position + RecordFormat.byteCount(payload: length)
        guard end <= bytes.count else { return .incomplete(byteCount: end - position) }
        guard let offset = Int64(exactly: number(at: 8, as: UInt64.self)),
            let synced = Int64(exactly: number(at: 16, as: UInt64.self)), synced < offset,
            checksum(of: UnsafeRawBufferPointer(rebasing: bytes[position..<end])) == number(at: 4, as: UInt32.self)
        else { return .flawed(.checksum) }
        return .record(
            JournalRecord(
                position: position, payloadByteCount: length, offset: LogOffset(offset), synced: LogOffset(synced)))
    }

    /// Finds the next record that is whole, wherever it stands.
    /// - Parameter minimumSynced: records that know of less than this are passed over.
    func nextRecord(
        from position: Int, in bytes: UnsafeRawBufferPointer, minimumSynced: LogOffset = .none
    ) -> JournalRecord? {
        var position = position
        while position + RecordFormat.headerByteCount <= bytes.count {
            // Nearly all of what is searched is zeros: a word with no length is no record.
            let length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
            if length != 0, case .record(let record) = read(at: position, in: bytes), record.synced >= minimumSynced {
                return record
            }
            position += RecordFormat.alignment
        }
        return nil
    }
}

/// Where a record stands in its file, or in the bytes that were read of it.
struct JournalRecord: Equatable, Sendable {
    var position: Int
    let payloadByteCount: Int
    let offset: LogOffset
    let synced: LogOffset

    var payload: Range<Int> {
        let start = position + RecordFormat.headerByteCount
        return start..<start + payloadByteCount
    }

    /// Where the next record stands.
    var end: Int { position + RecordFormat.byteCount(payload: payloadByteCount) }
}

enum RecordReading: Equatable {
    case record(JournalRecord)
    /// A length of zero, or no room for a record: the end.
    case nothing
    /// It goes on behind the end of the bytes; so many are needed.
    case incomplete(byteCount: Int)
    case flawed(RecordFlaw)
}

/// What is wrong with a record.
enum RecordFlaw: Equatable, Sendable {
    case length(Int)
    case checksum
    case beyondEnd
    case missing
    case offset(LogOffset, expected: LogOffset)
}

extension RecordFlaw: CustomStringConvertible {
    var description: String {
        switch self {
        case .length(let length): "a record says it is \(length) bytes long, which none can be"
        case .checksum: "the checksum of a record is wrong"
        case .beyondEnd: "a record says it reaches beyond the end of its file, or of what was written there"
        case .missing: "a record is missing where others follow"
        case .offset(let offset, let expected): "the record of offset \(offset) stands where \(expected) belongs"
        }
    }
}
