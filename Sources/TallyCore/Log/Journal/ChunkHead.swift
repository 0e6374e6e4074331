// SPDX-License-Identifier: Apache-2.0

/// Who wrote a chunk, read from its first bytes: recovery needs no more, and is several times faster for it.
struct ChunkHead: Equatable {
    let node: NodeID
    let sequence: UInt64

    /// - Parameter bytes: an encoded chunk.
    init(_ bytes: UnsafeRawBufferPointer) throws(ChunkDecodingError) {
        guard bytes.count >= RecordFormat.shortestPayload else { throw .malformed("\(bytes.count) bytes are too few") }
        guard Chunk.isKnown(bytes[0]) else { throw .unknownVersion(bytes[0]) }
        node = NodeID(bits: UInt128(littleEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt128.self)))
        var value: UInt64 = 0
        // Nine groups of seven bits hold every allowed sequence.
        for index in 0..<9 {
            guard 17 + index < bytes.count else { break }
            let byte = bytes[17 + index]
            value |= UInt64(byte & 0x7F) << (7 * UInt64(index))
            if byte & 0x80 == 0 {
                guard value >= 1 else { break }
                sequence = value
                return
            }
        }
        throw .malformed("a sequence out of range")
    }
}
