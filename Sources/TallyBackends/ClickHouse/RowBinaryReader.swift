// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// Something in an answer or a table that can't be what tally wrote. The store adds its address when it lets this out.
struct ClickHouseDamage: Error {
    let what: String

    init(_ what: String) { self.what = what }
}

/// Reads values in ClickHouse's format `RowBinary`.
struct RowBinaryReader {
    private var buffer: ByteBuffer

    init(_ buffer: ByteBuffer) { self.buffer = buffer }

    var isAtEnd: Bool { buffer.readableBytes == 0 }

    mutating func read<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws(ClickHouseDamage) -> Value {
        guard let value = buffer.readInteger(endianness: .little, as: Value.self) else {
            throw RowBinaryReader.tooShort
        }
        return value
    }

    mutating func readBytes() throws(ClickHouseDamage) -> [UInt8] {
        guard let bytes = buffer.readBytes(length: try readLength()) else { throw RowBinaryReader.tooShort }
        return bytes
    }

    mutating func readText() throws(ClickHouseDamage) -> String {
        let bytes = try readBytes()
        guard let text = String(validating: bytes, as: UTF8.self) else { throw ClickHouseDamage("a text is no UTF-8") }
        return text
    }

    /// Skips a value that is written exactly so, if it comes next.
    mutating func skip(_ written: [UInt8]) -> Bool {
        let comes = buffer.withUnsafeReadableBytes { bytes in
            bytes.count >= written.count && bytes[..<written.count].elementsEqual(written)
        }
        if comes { buffer.moveReaderIndex(forwardBy: written.count) }
        return comes
    }

    /// A `Nullable(String)`.
    mutating func readOptionalText() throws(ClickHouseDamage) -> String? {
        try read(UInt8.self) == 0 ? try readText() : nil
    }

    /// Of a text or a list.
    mutating func readLength() throws(ClickHouseDamage) -> Int {
        var length: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            let byte: UInt8 = try read()
            length |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                // No value can be longer than what is left, so that a damaged length reserves no memory.
                guard length <= UInt64(buffer.readableBytes) else { throw RowBinaryReader.tooShort }
                return Int(length)
            }
        }
        throw ClickHouseDamage("a length in an answer can't be read")
    }

    private static let tooShort = ClickHouseDamage("an answer ends too early")
}

extension RowBinaryReader {
    mutating func readBanner() throws(ClickHouseDamage) -> BannerID {
        let value: Int64 = try read()
        guard let banner = BannerID(value) else { throw ClickHouseDamage("banner_id \(value); \(BannerID.allowed)") }
        return banner
    }

    mutating func readOffset() throws(ClickHouseDamage) -> LogOffset {
        let value: UInt64 = try read()
        guard let offset = Int64(exactly: value) else {
            throw ClickHouseDamage("up_to \(value), more than \(Int64.max)")
        }
        return LogOffset(offset)
    }

    mutating func readCount() throws(ClickHouseDamage) -> Int64 {
        let count: Int64 = try read()
        guard count >= 0 else { throw ClickHouseDamage("the count \(count), less than 0") }
        return count
    }

    /// - Parameter layout: says at which seconds a row may begin.
    mutating func readStart(_ layout: Layout) throws(ClickHouseDamage) -> Minute {
        let value: Int64 = try read()
        guard value % Int64(layout.minutesPerRow * 60) == 0, let start = Minute(unixSeconds: value) else {
            throw ClickHouseDamage("timestamp \(value) is no whole \(layout.rawValue) from 1970 to 9999")
        }
        return start
    }
}

/// Names that come again and again in the rows of an answer, each made once.
struct ClickHouseNames<Value> {
    private var values: [[UInt8]: Value] = [:]
    /// As it is written, with its length.
    private var last: (written: [UInt8], value: Value)?
    private let make: (String) throws(ClickHouseDamage) -> Value

    init(_ make: @escaping (String) throws(ClickHouseDamage) -> Value) { self.make = make }

    mutating func read(from reader: inout RowBinaryReader) throws(ClickHouseDamage) -> Value {
        if let last, reader.skip(last.written) { return last.value }
        let bytes = try reader.readBytes()
        let value: Value
        if let known = values[bytes] { value = known } else { value = try make(String(decoding: bytes, as: UTF8.self)) }
        values[bytes] = value
        var writer = RowBinaryWriter()
        writer.write(bytes)
        last = (Array(writer.buffer.readableBytesView), value)
        return value
    }
}

extension ClickHouseNames where Value == Kind {
    static var kinds: ClickHouseNames {
        ClickHouseNames { name throws(ClickHouseDamage) in
            guard let kind = Kind(stored: name) else {
                throw ClickHouseDamage("\"\(name)\" is no kind: \(Kind.allowed)")
            }
            return kind
        }
    }
}

extension ClickHouseNames where Value == LogID {
    static var logs: ClickHouseNames {
        ClickHouseNames { name throws(ClickHouseDamage) in
            guard let log = LogID(name) else { throw ClickHouseDamage("\"\(name)\" is no name of a log") }
            return log
        }
    }
}
