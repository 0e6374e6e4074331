// SPDX-License-Identifier: Apache-2.0

/// Writes integers: fixed ones little-endian, variable ones as LEB128 (seven bits a byte, the lowest first).
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package mutating func write<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func writeVariable(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Small numbers of either sign stay short: 0, -1, 1, -2 become 0, 1, 2, 3.
    package mutating func writeSigned(_ value: Int64) {
        writeVariable(UInt64(bitPattern: value << 1 ^ value >> 63))
    }

    package mutating func write(contentsOf more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// Their number, and for each the length of its name in one byte and the name.
    package mutating func writeKinds(_ kinds: [Kind]) {
        writeVariable(UInt64(kinds.count))
        for kind in kinds {
            write(UInt8(kind.name.utf8.count))
            write(contentsOf: kind.name.utf8)
        }
    }
}

/// Reads what `ByteWriter` wrote. Every read checks the bounds: the bytes may come from anywhere.
package struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        self.position = bytes.startIndex
    }

    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    /// How many bytes are left.
    package var remaining: Int { bytes.endIndex - position }

    package mutating func read<Value: FixedWidthInteger>(_ type: Value.Type) throws(ByteReadingError) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw .endOfBytes }
        let value = bytes.withUnsafeBytes { buffer in
            buffer.loadUnaligned(fromByteOffset: position - bytes.startIndex, as: Value.self)
        }
        position += size
        return Value(littleEndian: value)
    }

    package mutating func readVariable() throws(ByteReadingError) -> UInt64 {
        try readRaw { (reader) throws(ByteReadingError) in try reader.readVariable() }
    }

    package mutating func readSigned() throws(ByteReadingError) -> Int64 {
        try readRaw { (reader) throws(ByteReadingError) in try reader.readSigned() }
    }

    /// Reads on without looking up the array each time: where there are very many numbers.
    mutating func readRaw<Value, Failure: Error>(
        _ body: (inout RawByteReader) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let result = bytes.withUnsafeBytes { buffer -> Result<Value, Failure> in
            var reader = RawByteReader(buffer, at: position - bytes.startIndex)
            defer { position = bytes.startIndex + reader.position }
            do throws(Failure) { return .success(try body(&reader)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    package mutating func read(count: Int) throws(ByteReadingError) -> ArraySlice<UInt8> {
        guard count >= 0, remaining >= count else { throw .endOfBytes }
        defer { position += count }
        return bytes[position..<position + count]
    }

    package mutating func readKinds(most: Int) throws(ByteReadingError) -> [Kind] {
        let count = try readVariable()
        guard count <= most else { throw .tooMany }
        var kinds: [Kind] = []
        kinds.reserveCapacity(Int(count))
        for _ in 0..<count {
            let length = Int(try read(UInt8.self))
            guard let kind = Kind(stored: String(decoding: try read(count: length), as: UTF8.self)) else {
                throw .notAKind
            }
            kinds.append(kind)
        }
        return kinds
    }
}

/// Reads numbers from bytes that somebody holds in place meanwhile.
struct RawByteReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    @inline(__always)
    mutating func readVariable() throws(ByteReadingError) -> UInt64 {
        // Nearly all numbers are small.
        if position < bytes.count, bytes[position] < 0x80 {
            defer { position += 1 }
            return UInt64(bytes[position])
        }
        return try readLongVariable()
    }

    @inline(__always)
    mutating func readSigned() throws(ByteReadingError) -> Int64 {
        let value = try readVariable()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// Passes over two numbers that are zero, if they are.
    @inline(__always)
    mutating func takeTwoZeros() -> Bool {
        guard position + 2 <= bytes.count, bytes.loadUnaligned(fromByteOffset: position, as: UInt16.self) == 0 else {
            return false
        }
        position += 2
        return true
    }

    private mutating func readLongVariable() throws(ByteReadingError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard position < bytes.count else { throw .endOfBytes }
            let byte = bytes[position]
            position += 1
            // The tenth byte holds the last bit of 64; an ending zero byte would be a second spelling of the same number.
            if shift == 63, byte > 1 { throw .malformedInteger }
            if byte == 0, shift > 0 { throw .malformedInteger }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
    }
}

package enum ByteReadingError: Error, Equatable, Sendable {
    case endOfBytes
    case malformedInteger
    case notAKind
    case tooMany
    /// It was written by another version of Tally.
    case unknownVersion
    /// Its rows are not of the layout that was asked for.
    case otherLayout
}
