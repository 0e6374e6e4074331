// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("CRC-32C")
struct CRC32CTests {
    /// RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRC algorithms.
    @Test("has the known values")
    func knownValues() {
        #expect(CRC32C.of([]) == 0)
        #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.of([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.of(Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.of((0..<32).reversed()) == 0x113F_DB5C)
    }

    /// Bit by bit, as the definition has it.
    private func reference(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
        }
        return ~value
    }

    @Test("is that of the definition, for every length and however the bytes are handed over")
    func pieces() {
        var generator = SeededGenerator(seed: 5)
        for count in 0...70 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            #expect(CRC32C.of(bytes) == reference(bytes))
            for cut in 0...count {
                var checksum = CRC32C()
                checksum.update(bytes[..<cut])
                checksum.update(bytes[cut...])
                #expect(checksum.value == reference(bytes), "\(count) bytes cut at \(cut)")
            }
        }
    }
}
