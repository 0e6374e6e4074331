// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// An event as `EventScanner` read it.
struct ScannedEvent: Equatable {
    var banner: BannerID
    /// Its name, which may be none; `KindWords` says.
    var kind = KindWords.click
    var time: Timestamp?
    var count: Int64 = 1
    var id: String?
}

/// Reads an event of the usual shapes in one pass over the bytes, without making anything of them but numbers: an object of
/// known members, each once and in any order, of plain integers and of texts without escapes.
///
/// What it reads, `JSONReader` and `EventInput(json:)` read as the same event. Of everything else, good or bad, it says that
/// it is not for it.
struct EventScanner {
    private enum Member {
        static let banner: UInt8 = 1
        static let kind: UInt8 = 2
        static let time: UInt8 = 4
        static let count: UInt8 = 8
        static let id: UInt8 = 16
    }

    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Whether only space follows.
    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return position == bytes.count
        }
    }

    /// - Returns: nil when the bytes don't begin with an object that is an event of the usual shapes.
    mutating func nextEvent() -> ScannedEvent? {
        var event = ScannedEvent(banner: EventScanner.placeholder)
        var found: UInt8 = 0
        skipSpace()
        guard take("{") else { return nil }
        repeat {
            skipSpace()
            guard let member = memberName(), found & member == 0 else { return nil }
            found |= member
            skipSpace()
            guard take(":") else { return nil }
            skipSpace()
            guard readValue(of: member, into: &event) else { return nil }
            skipSpace()
        } while take(",")
        guard take("}"), found & Member.banner != 0 else { return nil }
        return event
    }

    /// Never seen: an event without a banner is not for the scanner.
    private static let placeholder = BannerID(1)!

    private mutating func readValue(of member: UInt8, into event: inout ScannedEvent) -> Bool {
        switch member {
        case Member.banner:
            guard let banner = banner() else { return false }
            event.banner = banner
        case Member.kind:
            guard let name = text(), let words = KindWords.Words(name) else { return false }
            event.kind = words
        case Member.count:
            guard let count = integer(), count >= 1, count <= Limits.eventCount else { return false }
            event.count = count
        case Member.time:
            guard let time = time() else { return false }
            event.time = time
        default:
            guard let text = text() else { return false }
            event.id = String(decoding: text, as: UTF8.self)
        }
        return true
    }

    /// - Returns: nil when there is no name of a member here that an event has.
    private mutating func memberName() -> UInt8? {
        guard take("\"") else { return nil }
        if takeName("banner\"") { return Member.banner }
        if takeName("kind\"") { return Member.kind }
        if takeName("n\"") { return Member.count }
        if takeName("id\"") { return Member.id }
        return takeName("ts\"") ? Member.time : nil
    }

    @inline(__always)
    private mutating func takeName(_ name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for index in 0..<count where bytes[position + index] != name.utf8Start[index] { return false }
        position += count
        return true
    }

    /// A number, or a string of digits.
    private mutating func banner() -> BannerID? {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            return integer().flatMap { BannerID($0) }
        }
        return text().flatMap { BannerID(digits: String(decoding: $0, as: UTF8.self)) }
    }

    /// - Returns: nil for anything but digits, without a leading zero, that are sure to fit 64 bits.
    private mutating func integer() -> Int64? {
        let start = position
        var value: Int64 = 0
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            if digit > 9 { break }
            guard position - start < 18 else { return nil }
            value = value * 10 + Int64(digit)
            position += 1
        }
        let count = position - start
        if count == 0 || count > 1 && bytes[start] == UInt8(ascii: "0") { return nil }
        return value
    }

    /// What stands between quotation marks.
    /// - Returns: nil when it is no plain text of ASCII.
    private mutating func text() -> UnsafeRawBufferPointer? {
        guard take("\"") else { return nil }
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
            }
            if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\\") { return nil }
            position += 1
        }
        return nil
    }

    private mutating func time() -> Timestamp? {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            return integer().flatMap { try? WrittenTime(unix: $0).timestamp }
        }
        return text().flatMap { try? WrittenTime(String(decoding: $0, as: UTF8.self)).timestamp }
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0D || byte == 0x09 || byte == 0x0A else { return }
            position += 1
        }
    }

    @inline(__always)
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }
}
