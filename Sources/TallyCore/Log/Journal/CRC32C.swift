// SPDX-License-Identifier: Apache-2.0

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), sixteen bytes a step by as many tables ("slicing", Kounavis and Berry 2005).
package struct CRC32C {
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 16 * 256)
        for byte in 0..<256 {
            tables[byte] = (0..<8).reduce(UInt32(byte)) { value, _ in
                value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1
            }
        }
        for table in 1..<16 {
            for byte in 0..<256 {
                let previous = tables[(table - 1) * 256 + byte]
                tables[table * 256 + byte] = previous >> 8 ^ tables[Int(previous & 0xFF)]
            }
        }
        return tables
    }()

    private var state: UInt32 = 0xFFFF_FFFF

    package init() {}

    package var value: UInt32 { ~state }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        CRC32C.tables.withUnsafeBufferPointer { tables in
            var crc = state
            var position = 0
            while position + 16 <= bytes.count {
                let first =
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ UInt64(crc)
                let second = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self))
                // Neither half waits for the other.
                crc = CRC32C.fold(first, tables, 15) ^ CRC32C.fold(second, tables, 7)
                position += 16
            }
            while position < bytes.count {
                crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes[position])) & 0xFF)]
                position += 1
            }
            state = crc
        }
    }

    /// What eight bytes add that stand so many bytes before the end of a step.
    @inline(__always)
    private static func fold(_ word: UInt64, _ tables: UnsafeBufferPointer<UInt32>, _ last: Int) -> UInt32 {
        let low =
            tables[last * 256 + Int(word & 0xFF)] ^ tables[(last - 1) * 256 + Int(word >> 8 & 0xFF)]
            ^ tables[(last - 2) * 256 + Int(word >> 16 & 0xFF)] ^ tables[(last - 3) * 256 + Int(word >> 24 & 0xFF)]
        let high =
            tables[(last - 4) * 256 + Int(word >> 32 & 0xFF)] ^ tables[(last - 5) * 256 + Int(word >> 40 & 0xFF)]
            ^ tables[(last - 6) * 256 + Int(word >> 48 & 0xFF)] ^ tables[(last - 7) * 256 + Int(word >> 56)]
        return low ^ high
    }

    package mutating func update(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { update($0) } }

    package static func of(_ bytes: [UInt8]) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes[...])
        return crc.value
    }
}
