// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

@Suite("PackedHour")
struct PackedHourTests {
    private func hour(_ counts: [Int: Int64]) -> [Int64] { (0..<60).map { counts[$0] ?? 0 } }

    private func encodedHex(_ counts: [Int64]) -> String {
        PackedHour.encode(counts).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    @Test("the examples of docs/sqlite-schema.md are right")
    func documentedExamples() {
        #expect(encodedHex(hour([:])) == "00")
        #expect(encodedHex(hour([7: 1])) == "0007")
        #expect(encodedHex(hour([0: 2, 59: 300])) == "0040fba802")
        #expect(encodedHex((0..<60).map { Int64($0 % 4) }) == "02" + String(repeating: "e4", count: 15))
        var burst = (0..<60).map { Int64($0 % 4) }
        burst[30] = 1_000
        #expect(encodedHex(burst) == "02" + "e4e4e4e4e4e4e4c4e4e4e4e4e4e4e4" + "def601")
    }

    @Test("any hour comes back, from the fewest bytes of all widths")
    func anyHourComesBack() throws {
        for seed in UInt64(1)...400 {
            var random = SeededGenerator(seed: seed)
            let bits = Int64.random(in: 0...63, using: &random)
            let sparseness = Int.random(in: 1...20, using: &random)
            let counts = (0..<60).map { _ -> Int64 in
                if !random.isTrue(oneIn: sparseness) { return 0 }
                return random.number(0...Int64.max) >> Int64.random(in: (63 - bits)...63, using: &random)
            }
            let bytes = PackedHour.encode(counts)
            #expect(try PackedHour.decode(bytes) == counts, "seed \(seed)")
            #expect(bytes.count <= smallestBytes(counts), "seed \(seed)")
        }
    }

    /// What the format's description says, calculated anew: the bytes of the best width.
    private func smallestBytes(_ counts: [Int64]) -> Int {
        (0...63).map { width in
            counts.reduce(1 + (60 * width + 7) / 8) { bytes, count in
                var high = UInt64(count) >> UInt64(width)
                guard high > 3 else { return bytes + (high == 0 ? 0 : 1) }
                high -= 4
                var length = 2
                while high >= 128 {
                    high >>= 7
                    length += 1
                }
                return bytes + length
            }
        }.min()!
    }

    @Test("extremes come back")
    func extremesComeBack() throws {
        for counts in [Array(repeating: Int64.max, count: 60), hour([59: .max]), hour([0: .max, 30: 1])] {
            #expect(try PackedHour.decode(PackedHour.encode(counts)) == counts)
        }
        #expect(PackedHour.encode(Array(repeating: .max, count: 60)).count == 1 + 473)
    }

    static let malformed: [(bytes: [UInt8], error: PackedHourError)] = [
        ([], .empty),
        ([64], .unknownWidth(64)),
        ([255, 1, 2], .unknownWidth(255)),
        ([1], .truncated(bytes: 1, needed: 9)),
        ([8] + Array(repeating: 1, count: 59), .truncated(bytes: 60, needed: 61)),
        ([1, 0, 0, 0, 0, 0, 0, 0, 0x10], .paddingNotZero),
        ([0, 60], .minuteOutOfOrder(60)),
        ([0, 63], .minuteOutOfOrder(63)),
        ([0, 5, 5], .minuteOutOfOrder(5)),
        ([0, 5, 4], .minuteOutOfOrder(4)),
        ([0, 0xC5], .malformedCount(minute: 5)),
        ([0, 0xC5, 0x80], .malformedCount(minute: 5)),
        ([0, 0xC5, 0x80, 0x00], .malformedCount(minute: 5)),
        // Int64.max + 1, and what would overflow even an unsigned integer.
        ([0, 0xC5, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], .malformedCount(minute: 5)),
        ([0, 0xC5, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .malformedCount(minute: 5)),
        ([63] + Array(repeating: 0, count: 473) + [0x05], .malformedCount(minute: 5)),
    ]

    @Test("each malformed hour is refused with what is wrong", arguments: malformed)
    func malformedHoursAreRefused(bytes: [UInt8], error: PackedHourError) {
        #expect(throws: error) { try PackedHour.decode(bytes) }
        #expect(error.description.contains("hour"))
    }

    @Test("whatever bytes are read, no count is negative and nothing traps")
    func anyBytesAreReadSafely() {
        var readable = 0
        for seed in UInt64(1)...3_000 {
            var random = SeededGenerator(seed: seed)
            let width = UInt8.random(in: 0...66, using: &random)
            let length = (60 * Int(width) + 7) / 8 + Int.random(in: -1...4, using: &random)
            let bytes = [width] + (0..<max(0, length)).map { _ in UInt8.random(in: 0...255, using: &random) }
            guard let counts = try? PackedHour.decode(bytes) else { continue }
            readable += 1
            #expect(counts.count == 60 && counts.allSatisfy { $0 >= 0 }, "seed \(seed)")
        }
        #expect(readable > 50, "too few of the random hours were readable to say anything")
    }

    @Test("an hour cut short anywhere is another hour or none")
    func cutHoursNeverTrap() throws {
        let counts = (0..<60).map { Int64($0 * $0 * $0) }
        let bytes = PackedHour.encode(counts)
        for length in 0..<bytes.count {
            let read = try? PackedHour.decode(Array(bytes.prefix(length)))
            #expect(read != counts)
        }
    }
}
