// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Reads one head: `METHOD SP target SP HTTP/1.1 CRLF *(name ":" value CRLF) CRLF`, nothing more lenient.
struct HotRequestReader {
    enum Stop: Error {
        case endOfBytes
        case odd
    }

    /// What the fields say that decides.
    private struct Fields {
        var count = 0
        var hosts = 0
        var lengths = 0
        var length = 0
        /// Nothing that asks for more than a plain answer.
        var isPlain = true
        var userAgents = 0
        var forwardeds = 0
        var sender = HotSender()
    }

    private let bytes: UnsafeRawBufferPointer
    private let addressName: [UInt8]
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer, addressName: [UInt8]) {
        self.bytes = bytes
        self.addressName = addressName
    }

    mutating func read() throws(Stop) -> HotRequest {
        let method = try readMethod()
        let target = try readTarget()
        try expect("HTTP/1.1\r\n")
        let fields = try readFields()
        guard fields.hosts == 1, fields.lengths <= 1 else { throw .odd }
        if fields.isPlain, fields.length == 0, fields.lengths == 0 || method == .post,
            let (route, banner) = plainRoute(method, target)
        {
            return .plain(route, banner, fields.sender, byteCount: position)
        }
        return .framed(byteCount: position + fields.length)
    }

    // MARK: The first line

    private enum Method: CaseIterable {
        case get, post, put, head, delete, patch, options

        /// Its name and a space.
        var text: StaticString {
            switch self {
            case .get: "GET "
            case .post: "POST "
            case .put: "PUT "
            case .head: "HEAD "
            case .delete: "DELETE "
            case .patch: "PATCH "
            case .options: "OPTIONS "
            }
        }
    }

    private mutating func readMethod() throws(Stop) -> Method {
        var isIncomplete = false
        for method in Method.allCases {
            switch begins(with: method.text) {
            case .yes:
                position += method.text.utf8CodeUnitCount
                return method
            case .soFar: isIncomplete = true
            case .no: break
            }
        }
        throw isIncomplete ? .endOfBytes : .odd
    }

    private mutating func readTarget() throws(Stop) -> Range<Int> {
        let start = position
        try expect("/")
        while true {
            let byte = try next()
            if byte == UInt8(ascii: " ") { return start..<position - 1 }
            // Visible characters of ASCII.
            guard byte > 0x20, byte < 0x7F else { throw .odd }
        }
    }

    /// - Returns: nil for everything else, also for an id that isn't written as `BannerID` writes it.
    private func plainRoute(_ method: Method, _ target: Range<Int>) -> (HotRoute, BannerID)? {
        switch method {
        case .get: route(.getCounter, target) ?? route(.pixel, target)
        case .post: route(.postCounter, target) ?? route(.beacon, target)
        default: nil
        }
    }

    private func route(_ route: HotRoute, _ target: Range<Int>) -> (HotRoute, BannerID)? {
        guard hasText(route.prefix, at: target.lowerBound, within: target.upperBound) else { return nil }
        let digits = target.lowerBound + route.prefix.utf8CodeUnitCount..<target.upperBound
        // One digit less than the highest id has: none of these is out of range.
        guard (1...18).contains(digits.count), bytes[digits.lowerBound] != UInt8(ascii: "0"),
            let value = number(digits), let banner = BannerID(Int64(value))
        else { return nil }
        return (route, banner)
    }

    // MARK: The fields

    private mutating func readFields() throws(Stop) -> Fields {
        var fields = Fields()
        while true {
            if try peek() == UInt8(ascii: "\r") {
                try expect("\r\n")
                return fields
            }
            let name = try readName()
            let value = try readValue()
            fields.count += 1
            guard fields.count <= HotRequest.mostFields else { throw .odd }
            try note(name, value, in: &fields)
        }
    }

    private mutating func readName() throws(Stop) -> Range<Int> {
        let start = position
        while true {
            let byte = try next()
            if byte == UInt8(ascii: ":"), position - 1 > start { return start..<position - 1 }
            guard HotRequestReader.isToken(byte) else { throw .odd }
        }
    }

    /// The value without the spaces around it.
    private mutating func readValue() throws(Stop) -> Range<Int> {
        var start = position
        while try next() >= 0x20 { guard bytes[position - 1] != 0x7F else { throw .odd } }
        var end = position - 1
        position = end
        try expect("\r\n")
        while start < end, bytes[start] == UInt8(ascii: " ") { start += 1 }
        while start < end, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
        return start..<end
    }

    /// What has to do with where a message ends, or with what becomes of the connection. Their lengths tell most fields
    /// from these.
    private func note(_ name: Range<Int>, _ value: Range<Int>, in fields: inout Fields) throws(Stop) {
        switch name.count {
        case 4 where isWord("host", name): fields.hosts += 1
        case 6 where isWord("expect", name): fields.isPlain = false
        case 7 where isWord("upgrade", name): throw .odd
        // What `CrossOriginMiddleware` and `Prefetch` look at.
        case 6 where isWord("origin", name): fields.isPlain = false
        case 5 where isWord("x-moz", name): fields.isPlain = false
        case 7 where isWord("purpose", name): fields.isPlain = false
        case 9 where isWord("x-purpose", name): fields.isPlain = false
        case 11 where isWord("sec-purpose", name): fields.isPlain = false
        case 10 where isWord("connection", name): guard isWord("keep-alive", value) else { throw .odd }
        // What the routes would make of several, they decide.
        case 10 where isWord("user-agent", name):
            fields.userAgents += 1
            if fields.userAgents > 1 { fields.isPlain = false }
            if !value.isEmpty { fields.sender.userAgent = value }
        case 14 where isWord("content-length", name):
            guard (1...HotRequest.mostLengthDigits).contains(value.count), let length = number(value) else {
                throw .odd
            }
            fields.lengths += 1
            fields.length = length
            // `00` is a length, too.
            if value.count != 1 { fields.isPlain = false }
        case 16 where isWord("proxy-connection", name): throw .odd
        case 17 where isWord("transfer-encoding", name): throw .odd
        case addressName.count where isAddressName(name):
            fields.forwardeds += 1
            if fields.forwardeds > 1 { fields.isPlain = false }
            if !value.isEmpty { fields.sender.forwarded = value }
        default: break
        }
    }

    // MARK: Bytes

    private mutating func next() throws(Stop) -> UInt8 {
        let byte = try peek()
        position += 1
        return byte
    }

    private func peek() throws(Stop) -> UInt8 {
        guard position < bytes.count else { throw .endOfBytes }
        return bytes[position]
    }

    private mutating func expect(_ text: StaticString) throws(Stop) {
        switch begins(with: text) {
        case .yes: position += text.utf8CodeUnitCount
        case .soFar: throw .endOfBytes
        case .no: throw .odd
        }
    }

    private enum Beginning {
        case yes
        /// The bytes end before the text does.
        case soFar
        case no
    }

    private func begins(with text: StaticString) -> Beginning {
        let length = min(text.utf8CodeUnitCount, bytes.count - position)
        for index in 0..<length where bytes[position + index] != text.utf8Start[index] { return .no }
        return length == text.utf8CodeUnitCount ? .yes : .soFar
    }

    private func hasText(_ text: StaticString, at start: Int, within end: Int) -> Bool {
        guard text.utf8CodeUnitCount <= end - start else { return false }
        for index in 0..<text.utf8CodeUnitCount where bytes[start + index] != text.utf8Start[index] { return false }
        return true
    }

    /// Whether this is the word, in capitals or not.
    /// - Parameter word: in small letters.
    private func isWord(_ word: StaticString, _ place: Range<Int>) -> Bool {
        guard place.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount {
            let letter = word.utf8Start[index]
            let byte = bytes[place.lowerBound + index]
            let isCapital = byte ^ letter == 0x20 && letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
            if byte != letter, !isCapital { return false }
        }
        return true
    }

    private func isAddressName(_ place: Range<Int>) -> Bool {
        for index in addressName.indices {
            let byte = bytes[place.lowerBound + index]
            let isCapital = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            if (isCapital ? byte | 0x20 : byte) != addressName[index] { return false }
        }
        return true
    }

    /// - Returns: nil when there is anything but digits. No more of them than fit.
    private func number(_ place: Range<Int>) -> Int? {
        var value = 0
        for index in place {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// RFC 9110, section 5.6.2: ``!#$%&'*+-.^_`|~``, digits and letters, one bit for each.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<64: 0x03FF_6CFA_0000_0000 >> UInt64(byte) & 1 == 1
        case 64..<128: 0x57FF_FFFF_C7FF_FFFE >> UInt64(byte - 64) & 1 == 1
        default: false
        }
    }
}
