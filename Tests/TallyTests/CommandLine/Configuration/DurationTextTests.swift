// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import tally

struct DurationTextTests {
    @Test func unitsAreRead() {
        #expect(DurationText.duration("500ms") == .milliseconds(500))
        #expect(DurationText.duration("60s") == .seconds(60))
        #expect(DurationText.duration("5m") == .seconds(300))
        #expect(DurationText.duration("1h") == .seconds(3_600))
        #expect(DurationText.duration("7d") == .seconds(604_800))
        #expect(DurationText.duration("0") == .zero)
    }

    @Test(
        "what is no duration is refused",
        arguments: [
            "", "5", "m", "-5m", "5 m", "5M", "1.5h", "1h30m", "٥m", "9223372036854775807d", "99999999999999999999s",
        ])
    func refuses(text: String) { #expect(DurationText.duration(text) == nil) }

    @Test("a duration is written in its largest whole unit", arguments: ["1ms", "90s", "2m", "36h", "7d", "0"])
    func writes(text: String) throws { #expect(DurationText.text(try #require(DurationText.duration(text))) == text) }

    @Test func sizesAreReadAndWritten() {
        #expect(SizeText.bytes("64MiB") == 64 << 20)
        #expect(SizeText.bytes("1GiB") == 1 << 30)
        #expect(SizeText.bytes("10KiB") == 10_240)
        #expect(SizeText.bytes("512") == 512)
        #expect(SizeText.text(64 << 20) == "64MiB")
        #expect(SizeText.text(1_000) == "1000B")
    }

    @Test(
        "what is no size is refused",
        arguments: ["", "MiB", "64MB", "64 MiB", "-1MiB", "1.5GiB", "9223372036854775807GiB"])
    func refusesSizes(text: String) { #expect(SizeText.bytes(text) == nil) }
}
