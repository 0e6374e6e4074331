// SPDX-License-Identifier: Apache-2.0

/// Reads JSON by RFC 8259 from bytes: UTF-8, no byte order mark, nothing after the value.
///
/// Its own since integers up to 2^63 - 1 have to stay exact, an error has to say where it is, the elements of an array of
/// a hundred thousand events are wanted one after the other, and what a stranger sends must cost no more than its length:
/// nesting and the members of an object are limited.
struct JSONReader {
    static let deepest = 16
    static let mostMembers = 64

    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// Reads bytes that are exactly one value.
    static func value(of bytes: ArraySlice<UInt8>) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes)
        let value = try reader.readValue()
        try reader.readEnd()
        return value
    }

    // MARK: An array, element by element

    /// Begins an array. `hasElement` is then asked before each element is read by `readValue`.
    mutating func beginArray() throws(JSONError) {
        skipSpace()
        try expect("[")
    }

    mutating func hasElement(isFirst: Bool) throws(JSONError) -> Bool {
        skipSpace()
        if take("]") { return false }
        if !isFirst { try expect(",") }
        return true
    }

    /// Passes over a value that somebody else has read.
    mutating func skip(_ count: Int) { position += count }

    mutating func readEnd() throws(JSONError) {
        skipSpace()
        guard position == bytes.endIndex else { throw failure("something after the end of the value") }
    }

    // MARK: Values

    mutating func readValue(depth: Int = 0) throws(JSONError) -> JSONValue {
        guard depth < JSONReader.deepest else { throw failure("more than \(JSONReader.deepest) levels of nesting") }
        skipSpace()
        guard let next else { throw failure("the end where a value should be") }
        switch next {
        case UInt8(ascii: "{"): return .object(try readObject(depth: depth))
        case UInt8(ascii: "["): return .array(try readArray(depth: depth))
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .boolean(true))
        case UInt8(ascii: "f"): return try readWord("false", .boolean(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try readNumber()
        default: throw failure("no value")
        }
    }

    private mutating func readObject(depth: Int) throws(JSONError) -> JSONObject {
        var object = JSONObject()
        try expect("{")
        skipSpace()
        if take("}") { return object }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("no name of a member") }
            let name = try readString()
            guard object[exactly: name] == nil else {
                throw failure("the member \(quoted(name)) a second time")
            }
            guard object.members.count < JSONReader.mostMembers else {
                throw failure("an object of more than \(JSONReader.mostMembers) members")
            }
            skipSpace()
            try expect(":")
            object.members.append((name, try readValue(depth: depth + 1)))
            skipSpace()
        } while take(",")
        try expect("}")
        return object
    }

    private mutating func readArray(depth: Int) throws(JSONError) -> [JSONValue] {
        var elements: [JSONValue] = []
        try beginArray()
        while try hasElement(isFirst: elements.isEmpty) { elements.append(try readValue(depth: depth + 1)) }
        return elements
    }

    private mutating func readWord(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard next == word.utf8Start[index] else { throw failure("no value") }
            position += 1
        }
        return value
    }

    private mutating func readNumber() throws(JSONError) -> JSONValue {
        let start = position
        var isInteger = true
        _ = take("-")
        let leadingZero = next == UInt8(ascii: "0")
        let digits = skipDigits()
        guard digits >= 1, digits == 1 || !leadingZero else { throw failure("a malformed number") }
        if take(".") {
            isInteger = false
            guard skipDigits() >= 1 else { throw failure("a malformed number") }
        }
        if take("e") || take("E") {
            isInteger = false
            _ = take("+") || take("-")
            guard skipDigits() >= 1 else { throw failure("a malformed number") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        return .number(text)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    // MARK: Bytes

    private var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(JSONError) {
        if take(character) { return }
        let found = next == nil ? "the end where" : "something else where"
        throw failure("\(found) \(character) should be")
    }

    private func failure(_ problem: String) -> JSONError {
        JSONError(offset: position - bytes.startIndex, problem: problem)
    }
}

// MARK: - Strings

extension JSONReader {
    private mutating func readString() throws(JSONError) -> String {
        try expect("\"")
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if next == UInt8(ascii: "\"") {
            let text = try decode(bytes[start..<position])
            position += 1
            return text
        }
        return try readEscapedString(beginning: Array(bytes[start..<position]))
    }

    private mutating func readEscapedString(beginning: [UInt8]) throws(JSONError) -> String {
        var text = beginning
        while let byte = next {
            guard byte >= 0x20 else { throw failure("a control character in a text") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try decode(text[...])
            case UInt8(ascii: "\\"): text.append(contentsOf: String(try readEscape()).utf8)
            default: text.append(byte)
            }
        }
        throw failure("the end within a text")
    }

    private func decode(_ utf8: ArraySlice<UInt8>) throws(JSONError) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else { throw failure("a text that is not UTF-8") }
        return text
    }

    private mutating func readEscape() throws(JSONError) -> Unicode.Scalar {
        guard let byte = next else { throw failure("the end within a text") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try readUnicodeEscape()
        default: throw failure("an unknown escape")
        }
    }

    private mutating func readUnicodeEscape() throws(JSONError) -> Unicode.Scalar {
        let first = try readHexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // Half of a character beyond 16 bits; the other half has to follow.
        guard (0xD800...0xDBFF).contains(first), take("\\"), take("u") else { throw failure("half a surrogate pair") }
        let second = try readHexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw failure("half a surrogate pair") }
        return scalar
    }

    private mutating func readHexadecimal() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.endIndex else { throw failure("the end within a text") }
        var value: UInt32 = 0
        for byte in bytes[position..<(position + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw failure("an unknown escape") }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }
}
