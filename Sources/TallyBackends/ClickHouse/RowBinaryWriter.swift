// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Writes values as ClickHouse's format `RowBinary` has them: numbers little-endian, texts and lists behind their length.
struct RowBinaryWriter {
    private(set) var buffer: ByteBuffer

    init(capacity: Int = 0) {
        buffer = ByteBuffer()
        buffer.reserveCapacity(capacity)
    }

    mutating func write(_ value: some FixedWidthInteger) { buffer.writeInteger(value, endianness: .little) }

    /// A list, whose numbers are written at one blow.
    mutating func write(_ numbers: [Int64]) {
        writeLength(numbers.count)
        _ = numbers.map(\.littleEndian).withUnsafeBytes { buffer.writeBytes($0) }
    }

    mutating func write(_ bytes: some Collection<UInt8>) {
        writeLength(bytes.count)
        buffer.writeBytes(bytes)
    }

    mutating func write(_ text: String) { write(text.utf8) }

    /// A `Nullable(String)`.
    mutating func write(_ text: String?) {
        write(text == nil ? 1 : 0 as UInt8)
        if let text { write(text) }
    }

    /// Of a text or a list.
    mutating func writeLength(_ length: Int) {
        var rest = UInt64(length)
        while rest >= 0x80 {
            write(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        write(UInt8(rest))
    }
}
