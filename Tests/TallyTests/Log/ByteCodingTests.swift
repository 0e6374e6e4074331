// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("Integers as bytes")
struct ByteCodingTests {
    private func variable(_ value: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.writeVariable(value)
        return writer.bytes
    }

    /// Around every power of two.
    private static let edges: [UInt64] = (0..<64).flatMap { (bit: UInt64) -> [UInt64] in
        let power: UInt64 = 1 << bit
        return [power - 1, power, power &+ 1, ~power]
    }

    private static let known: [(UInt64, [UInt8])] = [
        (0, [0]), (1, [1]), (127, [0x7F]), (128, [0x80, 1]), (300, [0xAC, 2]), (624_485, [0xE5, 0x8E, 0x26]),
        (.max, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]),
    ]

    @Test(
        "variable ones are LEB128",
        arguments: known)
    func knownVariables(value: UInt64, bytes: [UInt8]) {
        #expect(variable(value) == bytes)
    }

    @Test("variable ones come back, and nothing is left")
    func variables() throws {
        for value in Self.edges {
            var reader = ByteReader(variable(value))
            #expect(try reader.readVariable() == value)
            #expect(reader.remaining == 0)
        }
    }

    @Test("signed ones come back, and small ones of either sign are short")
    func signed() throws {
        for value in Self.edges.map({ Int64(bitPattern: $0) }) {
            var writer = ByteWriter()
            writer.writeSigned(value)
            var reader = ByteReader(writer.bytes)
            #expect(try reader.readSigned() == value)
            if (-64...63).contains(value) { #expect(writer.bytes.count == 1) }
        }
    }

    @Test("fixed ones are little-endian")
    func fixed() throws {
        var writer = ByteWriter()
        writer.write(UInt32(0x0102_0304))
        writer.write(Int16(-2))
        #expect(writer.bytes == [4, 3, 2, 1, 0xFE, 0xFF])
        var reader = ByteReader(writer.bytes)
        #expect(try reader.read(UInt32.self) == 0x0102_0304)
        #expect(try reader.read(Int16.self) == -2)
    }

    @Test(
        "a second spelling of a number is refused, and what is beyond 64 bits",
        arguments: [
            [0x80, 0], [0xFF, 0x80, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
        ] as [[UInt8]])
    func malformed(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        #expect(throws: ByteReadingError.malformedInteger) { try reader.readVariable() }
    }

    @Test("what ends early is refused, and nothing is taken")
    func endOfBytes() throws {
        var reader = ByteReader([0x80, 0x80])
        #expect(throws: ByteReadingError.endOfBytes) { try reader.readVariable() }
        reader = ByteReader([1, 2, 3])
        #expect(throws: ByteReadingError.endOfBytes) { try reader.read(UInt32.self) }
        #expect(throws: ByteReadingError.endOfBytes) { try reader.read(count: 4) }
        #expect(throws: ByteReadingError.endOfBytes) { try reader.read(count: -1) }
        #expect(reader.remaining == 3)
        #expect(try reader.read(count: 3) == [1, 2, 3])
    }

    @Test("a slice is read within its bounds")
    func slices() throws {
        let bytes: [UInt8] = [9, 9, 0xAC, 2, 9]
        var reader = ByteReader(bytes[2..<4])
        #expect(try reader.readVariable() == 300)
        #expect(throws: ByteReadingError.endOfBytes) { try reader.read(UInt8.self) }
    }
}
