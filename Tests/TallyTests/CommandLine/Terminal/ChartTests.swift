// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import tally

struct ChartTests {
    private let ends = (first: "a", last: "z")

    @Test func aColumnIsAsHighAsItsShare() {
        #expect(
            BlockChart.text([0, 1, 8, 4, 64], ends: ends, width: 16) == """
                64 ▕        ██
                   ▕        ██
                   ▕        ██
                   ▕        ██
                   ▕        ██
                   ▕        ██
                   ▕        ██
                 0 ▕  ▁▁██▄▄██
                    a        z

                """)
    }

    @Test func whatIsThereIsSeenAndWhatIsNotIsNot() {
        let lines = BlockChart.text([0, 1, 1_000_000_000], ends: ends, width: 80).split(separator: "\n")
        #expect(lines[BlockChart.height - 1].hasSuffix("▕      ▁▁▁▁▁▁██████"))
        #expect(BlockChart.text([0, 0], ends: ends, width: 40).hasPrefix("0 ▕\n"))
    }

    @Test(arguments: [20, 40, 80, 200], [1, 3, 60, 1_440])
    func aChartIsNoWiderThanItsTerminal(width: Int, count: Int) {
        for value: Int64 in [1, 999, 123_456_789] {
            let text = BlockChart.text(Array(repeating: value, count: count), ends: ends, width: width)
            for line in text.split(separator: "\n") { #expect(line.count <= width, "\(width) \(count) \(value)") }
        }
    }

    @Test func whereThereIsNoRoomThereIsNoChart() {
        #expect(BlockChart.text([.max], ends: ends, width: 20).isEmpty)
        #expect(BlockChart.text([], ends: ends, width: 80).isEmpty)
    }

    @Test func theScreenIsDrawnOverAndCutToFit() {
        let frame = LiveScreen.frame("first\nsecond is long\nthird\n", width: 6, height: 3)
        #expect(frame == "\u{1B}[Hfirst\u{1B}[K\nsecond\u{1B}[K\n\u{1B}[J")
    }

    private func top(_ counts: [Int64]) -> TopAnswer {
        TopAnswer(
            from: "2024-12-12T09:06:00Z", to: "2024-12-12T10:06:00Z",
            top: counts.enumerated().map { .init(banner: StoreTest.banner(Int64($0 + 1)), name: nil, count: $1) })
    }

    @Test func theLiveTopHasBars() {
        #expect(
            LiveTop.text(top([8, 4, 1]), title: "tally top", problem: nil, width: 36) == """
                tally top · until 10:06 UTC · Ctrl-C ends

                banner  name  count
                     1            8  ██████████████
                     2            4  ███████
                     3            1  ██

                """)
    }

    @Test func theLiveTopKeepsWhatItKnowsAndSaysSo() {
        let text = LiveTop.text(top([8]), title: "tally top", problem: "no answer\u{1B}[2J", width: 80)
        #expect(text.contains("no answer\\u{1b}[2J; shown is what was known last\n"))
        #expect(text.contains("█"))
        #expect(LiveTop.text(top([]), title: "t", problem: nil, width: 80).contains("nothing was counted"))
    }
}
