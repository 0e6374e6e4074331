// SPDX-License-Identifier: Apache-2.0

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes a step by eight tables ("slicing by 8", Kounavis and Berry 2005).
package struct CRC32C {
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            tables[byte] = (0..<8).reduce(UInt32(byte)) { value, _ in
                value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1
            }
        }
        for table in 1..<8 {
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
            while position + 8 <= bytes.count {
                let word =
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ UInt64(crc)
                crc = tables[7 * 256 + Int(word & 0xFF)]
                crc ^= tables[6 * 256 + Int(word >> 8 & 0xFF)]
                crc ^= tables[5 * 256 + Int(word >> 16 & 0xFF)]
                crc ^= tables[4 * 256 + Int(word >> 24 & 0xFF)]
                crc ^= tables[3 * 256 + Int(word >> 32 & 0xFF)]
                crc ^= tables[2 * 256 + Int(word >> 40 & 0xFF)]
                crc ^= tables[1 * 256 + Int(word >> 48 & 0xFF)]
                crc ^= tables[Int(word >> 56)]
                position += 8
            }
            while position < bytes.count {
                crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes[position])) & 0xFF)]
                position += 1
            }
            state = crc
        }
    }

    package mutating func update(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { update($0) } }

    package static func of(_ bytes: [UInt8]) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes[...])
        return crc.value
    }
}
