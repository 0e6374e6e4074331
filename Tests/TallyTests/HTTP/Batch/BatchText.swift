// SPDX-License-Identifier: Apache-2.0

import TallySimulator

/// Makes bodies of events: usual ones, unusual ones, wrong ones, and any of them with damaged bytes.
struct BatchText {
    private static let values: [String: [String]] = [
        "banner": [
            "1", "2", "42", "999999999999999999", "9223372036854775807", "9223372036854775808", "0", "-1", "007", "1.0",
            "1e3", "\"7\"", "null", "true", "[1]", "",
        ],
        "kind": [
            "\"click\"", "\"impression\"", "\"view_2\"", "\"Click\"", "\"\"", "\"cl\\u0069ck\"", "\"é\"", "7", "null",
            "\"\(String(repeating: "k", count: 32))\"", "\"\(String(repeating: "k", count: 33))\"", "\"click",
        ],
        "n": ["1", "5", "1000000000", "999999999", "1000000001", "0", "01", "-0", "1.5", "\"1\"", "null"],
        "ts": [
            "\"2024-12-12T10:05:00Z\"", "\"2024-12-12 10:04\"", "1733997900", "1733997900000", "1733997840",
            "\"2024-12-12T13:05:59+03:00\"", "\"2024-12-01T00:00:00Z\"", "\"2030-01-01\"", "\"soon\"", "-1", "null",
            "{}",
        ],
        "id": [
            "\"a\"", "\"b\"", "\"\"", "\"é\"", "\"\\n\"", "\"\t\"", "7", "null",
            "\"\(String(repeating: "i", count: 256))\"", "\"\(String(repeating: "i", count: 257))\"",
        ],
        "unknown": ["1", "{\"a\":[1,2]}"],
    ]

    var random: SeededGenerator

    mutating func body() -> [UInt8] {
        let isArray = chance(0.3)
        let events = (0..<Int.random(in: 0...8, using: &random)).map { _ in event(canHoldLineFeed: isArray) }
        var text = chance(0.2) ? "\u{FEFF}" : ""
        if isArray {
            text += space(true) + "[" + events.joined(separator: space(true) + "," + space(true)) + space(true) + "]"
        } else {
            text += events.map { space() + $0 + space() }.joined(separator: chance(0.3) ? "\n\n" : "\n")
            if chance(0.5) { text += "\n" }
        }
        var bytes = Array(text.utf8)
        if chance(0.3) { damage(&bytes) }
        return bytes
    }

    /// Where the body is cut into parts.
    mutating func cuts(of count: Int) -> [Int] {
        (0..<Int.random(in: 0...4, using: &random)).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
    }

    private mutating func event(canHoldLineFeed: Bool) -> String {
        if chance(0.03) { return pick(["7", "\"x\"", "[]", "null", "", "{}", "{'banner':1}", "{\"banner\":1} x"]) }
        // Usual ones are usual here, too.
        let isUsual = chance(0.6)
        var names = ["banner"] + ["kind", "n", "ts", "id"].shuffled(using: &random).prefix(chance(0.5) ? 1 : 3)
        if chance(0.05) { names[0] = "unknown" }
        if chance(0.05) { names.append(names[0]) }
        names.shuffle(using: &random)
        let members = names.map { name in
            let values = BatchText.values[name] ?? []
            let value = isUsual ? pick(Array(values.prefix(2))) : pick(values)
            return "\"\(name)\"\(space(canHoldLineFeed)):\(space(canHoldLineFeed))\(value)"
        }
        let comma = space(canHoldLineFeed) + "," + space(canHoldLineFeed)
        return "{" + space(canHoldLineFeed) + members.joined(separator: comma) + space(canHoldLineFeed) + "}"
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0...3, using: &random) {
            case 0: bytes[place] = .random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(pick(Array("\"\\{}[],:\n 0e-".utf8)), at: place)
            default: bytes.removeLast(bytes.count - place)
            }
        }
    }

    private mutating func space(_ canHoldLineFeed: Bool = false) -> String {
        chance(0.7) ? "" : pick(canHoldLineFeed ? [" ", "\t", "\r\n", "\n"] : [" ", "\t", "\r", "  "])
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &random)! }

    private mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &random) < probability
    }
}
