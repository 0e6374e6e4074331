// SPDX-License-Identifier: Apache-2.0

/// The first 128 bytes of a segment; `docs/journal-format.md` describes them with an example.
///
///     magic          8 bytes, "TALLYLOG"
///     version        4 bytes, 1
///     zero           4 bytes
///     identity      16 bytes
///     size           8 bytes, of the file
///     first          8 bytes
///     lost           8 bytes
///     synced         8 bytes
///     lastSequence   8 bytes
///     zero          52 bytes
///     checksum       4 bytes, CRC-32C of all before
///
/// The magic, the version and the place of the checksum stay the same in every later version.
struct SegmentHeader: Equatable, Sendable {
    static let byteCount = 128
    static let version: UInt32 = 1
    private static let magic = Array("TALLYLOG".utf8)

    /// The journal's, and that of its own node.
    var identity: NodeID
    /// Of the file in bytes, so that a file that was cut short is recognised; a multiple of 8.
    var size: Int
    /// The segment begins at this offset, where the one before it ended; the file is named by it.
    var first: LogOffset
    /// So many offsets, from `first` on, are lost: damage took them, and a repair says so here. 0 in all other segments.
    var lost: Int64
    /// What was known to be durable when the segment was made.
    var synced: LogOffset
    /// The sequence of the own node's last chunk before the records of this segment; 0 before the first.
    var lastSequence: UInt64

    /// The last offset before the segment's records.
    var lastBeforeRecords: LogOffset { LogOffset(first.value - 1 + lost) }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: SegmentHeader.byteCount)
        writer.write(contentsOf: SegmentHeader.magic)
        writer.write(SegmentHeader.version)
        writer.write(UInt32(0))
        writer.write(identity.bits)
        writer.write(UInt64(size))
        writer.write(UInt64(first.value))
        writer.write(UInt64(lost))
        writer.write(UInt64(synced.value))
        writer.write(lastSequence)
        writer.write(contentsOf: repeatElement(0, count: SegmentHeader.byteCount - 4 - writer.bytes.count))
        writer.write(CRC32C.of(writer.bytes))
        return writer.bytes
    }

    /// - Parameter bytes: the beginning of a file.
    init(decoding bytes: ArraySlice<UInt8>) throws(SegmentHeaderError) {
        guard bytes.count >= SegmentHeader.byteCount, bytes.starts(with: SegmentHeader.magic) else { throw .noSegment }
        let header = Array(bytes.prefix(SegmentHeader.byteCount))
        var reader = ByteReader(header[8...])
        var body = CRC32C()
        body.update(header[..<124])
        var end = ByteReader(header[124...])
        do {
            guard try end.read(UInt32.self) == body.value else { throw SegmentHeaderError.wrongChecksum }
            let version = try reader.read(UInt32.self)
            guard version == SegmentHeader.version else { throw SegmentHeaderError.unknownVersion(version) }
            _ = try reader.read(UInt32.self)
            identity = NodeID(bits: try reader.read(UInt128.self))
            guard let size = Int(exactly: try reader.read(UInt64.self)),
                let first = Int64(exactly: try reader.read(UInt64.self)),
                let lost = Int64(exactly: try reader.read(UInt64.self)),
                let synced = Int64(exactly: try reader.read(UInt64.self))
            else { throw SegmentHeaderError.impossible }
            lastSequence = try reader.read(UInt64.self)
            let isPossible =
                size >= SegmentHeader.byteCount && size % RecordFormat.alignment == 0 && first >= 1 && lost >= 0
                && synced >= 0 && !first.addingReportingOverflow(lost).overflow && lastSequence <= Chunk.lastSequence
            guard isPossible else { throw SegmentHeaderError.impossible }
            self.size = size
            self.first = LogOffset(first)
            self.lost = lost
            self.synced = LogOffset(synced)
        } catch let error as SegmentHeaderError {
            throw error
        } catch {
            throw .noSegment
        }
    }

    init(identity: NodeID, size: Int, first: LogOffset, lost: Int64, synced: LogOffset, lastSequence: UInt64) {
        self.identity = identity
        self.size = size
        self.first = first
        self.lost = lost
        self.synced = synced
        self.lastSequence = lastSequence
    }
}

/// Why the beginning of a file is not a segment's.
enum SegmentHeaderError: Error, Equatable, Sendable {
    case noSegment
    case wrongChecksum
    case impossible
    case unknownVersion(UInt32)
}

extension SegmentHeaderError: CustomStringConvertible {
    var description: String {
        switch self {
        case .noSegment: "the file does not begin like a segment"
        case .wrongChecksum: "the checksum of its header is wrong"
        case .impossible: "its header holds an impossible number"
        case .unknownVersion(let version):
            "it has format version \(version), this tally reads version \(SegmentHeader.version)"
        }
    }
}
