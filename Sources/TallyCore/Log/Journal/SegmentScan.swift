// SPDX-License-Identifier: Apache-2.0

/// Walks through the records of one segment until the first that is bad or missing.
struct SegmentScan {
    enum Finish: Equatable {
        /// Nothing but zeros follows.
        case clean
        /// A record that is bad or missing, with bytes behind it.
        case flawed(RecordFlaw)
        /// A record is whole, but its chunk can't be read.
        case unreadable(ChunkDecodingError)
    }

    private(set) var segment: Segment
    /// The sequence of the own node's last chunk so far.
    private(set) var lastSequence: UInt64
    private(set) var finish = Finish.clean
    /// What the last record knew to be durable; the records of one batch know the same. nil before the first.
    private(set) var synced: LogOffset?
    /// Where the last batch begins; nil when it began in an earlier segment, or there is none.
    private(set) var lastBatch: Int?
    /// Behind the last byte that is not zero.
    private(set) var filledEnd: Int

    /// - Parameters:
    ///   - bytes: the whole file, whose header was read and is right.
    ///   - synced: what the last record of the segments before knew to be durable.
    init(_ bytes: [UInt8], header: SegmentHeader, format: RecordFormat, synced: LogOffset?) {
        self.synced = synced
        segment = Segment(header)
        lastSequence = header.lastSequence
        filledEnd = 0
        bytes.withUnsafeBytes { buffer in
            filledEnd = SegmentScan.filledEnd(of: buffer)
            finish = walk(buffer, identity: header.identity, format: format)
        }
    }

    private mutating func walk(_ bytes: UnsafeRawBufferPointer, identity: NodeID, format: RecordFormat) -> Finish {
        while true {
            switch format.read(at: segment.end, in: bytes) {
            case .record(let record):
                guard record.offset == segment.last.next else {
                    return .flawed(.offset(record.offset, expected: segment.last.next))
                }
                do throws(ChunkDecodingError) {
                    let head = try ChunkHead(UnsafeRawBufferPointer(rebasing: bytes[record.payload]))
                    if head.node == identity { lastSequence = max(lastSequence, head.sequence) }
                } catch {
                    return .unreadable(error)
                }
                if record.synced != synced {
                    synced = record.synced
                    lastBatch = record.position
                }
                segment.add(byteCount: record.end - record.position)
            case .nothing: return filledEnd <= segment.end ? .clean : .flawed(.missing)
            case .incomplete: return .flawed(.beyondEnd)
            case .flawed(let flaw): return .flawed(flaw)
            }
        }
    }

    static func filledEnd(of bytes: UnsafeRawBufferPointer) -> Int {
        var end = bytes.count
        // Nearly all of a new segment is zeros: so many words at once.
        while end >= 64, isZero(bytes, at: end - 64) { end -= 64 }
        while end >= 8, bytes.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 { end -= 8 }
        while end > 0, bytes[end - 1] == 0 { end -= 1 }
        return end
    }

    /// Whether 64 bytes are zero.
    private static func isZero(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Bool {
        var words: UInt64 = 0
        for word in 0..<8 { words |= bytes.loadUnaligned(fromByteOffset: position + word * 8, as: UInt64.self) }
        return words == 0
    }
}
