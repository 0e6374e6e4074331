// SPDX-License-Identifier: Apache-2.0

/// Reads the value of `Forwarded` (RFC 7239, section 4): `for=192.0.2.43;proto=https, for="[2001:db8::17]:4711"`.
///
/// It is read from its end: what stands on the left may be a client's own text, such as a quotation mark that is never closed, and
/// must not hide what a trusted proxy appended.
enum ForwardedValue {
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    /// The `for` of each element, in their order: an address, perhaps with a port, or an obfuscated identifier.
    /// The empty text stands for an element that names none, or is malformed.
    static func nodes(in value: String) -> [String] {
        parts(of: Array(value.utf8)[...], at: UInt8(ascii: ",")).filter { !trimmed($0).isEmpty }
            .map { node(of: $0) ?? "" }
    }

    private static func node(of element: ArraySlice<UInt8>) -> String? {
        var found: String?
        for pair in parts(of: element, at: UInt8(ascii: ";")) {
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
            guard String(decoding: trimmed(pair[..<equals]), as: UTF8.self).lowercased() == "for" else { continue }
            // A parameter must not come twice.
            guard found == nil, let text = text(of: trimmed(pair[(equals + 1)...])) else { return nil }
            found = text
        }
        return found
    }

    /// Of a token, or of a quoted string.
    private static func text(of value: ArraySlice<UInt8>) -> String? {
        guard value.first == quote else { return value.contains(quote) ? nil : String(decoding: value, as: UTF8.self) }
        guard value.count >= 2, value.last == quote else { return nil }
        var text: [UInt8] = []
        var isEscaped = false
        for byte in value.dropFirst().dropLast() {
            if !isEscaped, byte == quote { return nil }
            if !isEscaped, byte == backslash {
                isEscaped = true
                continue
            }
            text.append(byte)
            isEscaped = false
        }
        return isEscaped ? nil : String(decoding: text, as: UTF8.self)
    }

    /// What stands between the separators that are not within quotation marks, in its order.
    private static func parts(of bytes: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var end = bytes.endIndex
        var isQuoted = false
        var place = bytes.endIndex
        while place > bytes.startIndex {
            place -= 1
            if bytes[place] == quote {
                let escapes = bytes[..<place].reversed().prefix { $0 == backslash }.count
                if escapes % 2 == 0 { isQuoted.toggle() }
                place -= escapes
            } else if !isQuoted, bytes[place] == separator {
                parts.append(bytes[(place + 1)..<end])
                end = place
            }
        }
        parts.append(bytes[..<end])
        return parts.reversed()
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var rest = bytes.drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest
    }
}
