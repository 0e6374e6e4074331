// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import TallyBackends

@Suite("ClickHouse's binary rows")
struct RowBinaryTests {
    @Test("numbers are little-endian, texts stand behind their length")
    func bytes() {
        var writer = RowBinaryWriter()
        writer.write(Int64(-2))
        writer.write(UInt8(7))
        writer.write("ab")
        writer.write(nil as String?)
        writer.write("" as String?)
        writer.writeLength(300)
        let expected: [UInt8] = [
            0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 7, 2, 0x61, 0x62, 1, 0, 0, 0xAC, 0x02,
        ]
        #expect(Array(buffer: writer.buffer) == expected)
    }

    @Test("what was written is read", arguments: [0, 1, 127, 128, 300, 20_000])
    func roundTrip(length: Int) throws {
        let text = String(repeating: "x", count: length)
        var writer = RowBinaryWriter()
        writer.write(text)
        writer.write(Int64.min)
        writer.write(text as String?)
        writer.write(nil as String?)
        var reader = RowBinaryReader(writer.buffer)
        #expect(try reader.readText() == text)
        #expect(try reader.read(Int64.self) == .min)
        #expect(try reader.readOptionalText() == text)
        #expect(try reader.readOptionalText() == nil)
        #expect(reader.isAtEnd)
    }

    @Test("an answer that was cut short is no answer")
    func everyCut() throws {
        var writer = RowBinaryWriter()
        writer.write("click")
        writer.write(Int64(1))
        let whole = writer.buffer
        for length in 0..<whole.readableBytes {
            var reader = RowBinaryReader(try #require(whole.getSlice(at: 0, length: length)))
            #expect(throws: ClickHouseDamage.self) {
                _ = try reader.readText()
                _ = try reader.read(Int64.self)
            }
        }
    }

    @Test("a length without end, and one longer than the answer, are damage")
    func lengths() {
        var endless = RowBinaryReader(ByteBuffer(bytes: Array(repeating: 0xFF, count: 20)))
        #expect(throws: ClickHouseDamage.self) { try endless.readLength() }
        var long = RowBinaryReader(ByteBuffer(bytes: [0xFF, 0xFF, 0xFF, 0xFF, 0x07, 1]))
        #expect(throws: ClickHouseDamage.self) { try long.readBytes() }
        var noText = RowBinaryReader(ByteBuffer(bytes: [1, 0xFF]))
        #expect(throws: ClickHouseDamage.self) { try noText.readText() }
    }
}
