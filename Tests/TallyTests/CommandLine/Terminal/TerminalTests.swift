// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import tally

struct TerminalTests {
    @Test func aTableAlignsTextLeftAndNumbersRight() {
        let table = TextTable(
            header: ["banner", "name", "count"], rows: [["7", "a", "1,000"], ["12345678", "", "2"]], numeric: [0, 2])
        #expect(
            table.text == """
                  banner  name  count
                       7  a     1,000
                12345678            2

                """)
    }

    @Test func aTableLeavesNoSpaceAtTheEndOfALine() {
        #expect(TextTable(header: ["a", "b"], rows: [["x", ""]]).text == "a  b\nx\n")
    }

    @Test func aSparklineShowsSharesOfTheLargest() {
        #expect(Sparkline.text([0, 1, 2, 3, 4, 5, 6, 7, 8], width: 80) == "▁▂▃▄▅▆▇██")
        #expect(Sparkline.text([0, 0], width: 80) == "▁▁")
        #expect(Sparkline.text([], width: 80) == "")
    }

    @Test func aSparklineSumsNeighboursToFit() {
        #expect(Sparkline.text([4, 4, 0, 0, 1, 1], width: 3) == "█▁▃")
        #expect(Sparkline.text([Int64](repeating: .max, count: 100), width: 7).count == 7)
    }

    @Test func progressShowsShareRateAndTimeLeft() {
        let line = ProgressLine(
            label: "importing", progress: WorkProgress(done: 1 << 20, total: 4 << 20), elapsed: .seconds(2))
        #expect(line.plain == "importing: 25%, 1.0 MiB of 4.0 MiB, 512.0 KiB/s, 0:06 left")
        #expect(
            line.bar(width: 100)
                == "importing [#######-----------------------] 25%, 1.0 MiB of 4.0 MiB, 512.0 KiB/s, 0:06 left")
    }

    @Test func progressFitsAnyWidth() {
        let line = ProgressLine(label: "importing", progress: WorkProgress(done: 5, total: 10), elapsed: .seconds(2))
        for width in 1...120 { #expect(line.bar(width: width).count <= width) }
    }

    @Test func progressOfUnknownLengthShowsWhatItKnows() {
        let line = ProgressLine(label: "reading", progress: WorkProgress(done: 2_048, total: nil), elapsed: .zero)
        #expect(line.plain == "reading: 2.0 KiB")
        #expect(
            ProgressLine(label: "reading", progress: WorkProgress(done: 0, total: 0), elapsed: .zero).plain
                == "reading: 0 B of 0 B")
    }

    @Test func aReporterRedrawsInATerminalAndNotTooOften() throws {
        var written: [String] = []
        var time = ContinuousClock.now
        let reporter = ProgressReporter(
            label: "x", terminal: Terminal(width: 40, isUnicode: true), write: { written.append($0) }, now: { time })
        try reporter.update(WorkProgress(done: 1, total: 2))
        #expect(written.isEmpty)
        time += .milliseconds(150)
        try reporter.update(WorkProgress(done: 1, total: 2))
        try reporter.update(WorkProgress(done: 2, total: 2))
        #expect(written.count == 1)
        #expect(written[0].hasPrefix("\r\u{1B}[K"))
        reporter.note("done")
        #expect(written == [written[0], "\r\u{1B}[K", "done\n"])
    }

    @Test func aReporterWritesALineEveryFiveSecondsElsewhere() throws {
        var written: [String] = []
        var time = ContinuousClock.now
        let reporter = ProgressReporter(
            label: "x", terminal: Terminal(width: nil, isUnicode: false), write: { written.append($0) }, now: { time })
        for _ in 0..<20 {
            time += .seconds(1)
            try reporter.update(WorkProgress(done: 1, total: 2))
        }
        #expect(written.count == 4)
        #expect(written.allSatisfy { $0.hasPrefix("x: 50%") && $0.hasSuffix("\n") && !$0.contains("\u{1B}") })
    }

    @Test func aReporterStopsCancelledWork() async {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try ProgressReporter(label: "x", terminal: Terminal(width: nil, isUnicode: false))
                .update(WorkProgress(done: 1, total: 2))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func numbersAreGroupedByThousands() {
        #expect(NumberText.grouped(0) == "0")
        #expect(NumberText.grouped(999) == "999")
        #expect(NumberText.grouped(1_000) == "1,000")
        #expect(NumberText.grouped(-1_234_567) == "-1,234,567")
        #expect(NumberText.grouped(Int64.min) == "-9,223,372,036,854,775,808")
        #expect(NumberText.counted(1, "line") == "1 line")
        #expect(NumberText.counted(0, "line") == "0 lines")
    }

    @Test func bytesAndTimesAreReadable() {
        #expect(NumberText.bytes(1_023) == "1023 B")
        #expect(NumberText.bytes(1_024) == "1.0 KiB")
        #expect(NumberText.bytes(5 << 30) == "5.0 GiB")
        #expect(NumberText.clock(.seconds(7)) == "0:07")
        #expect(NumberText.clock(.seconds(754)) == "12:34")
        #expect(NumberText.clock(.seconds(3_723)) == "1:02:03")
    }

    @Test func aTerminalObeysNothingOfAName() {
        #expect(PlainText.of("a\u{1B}[31mb\nc\u{202E}d") == "a\\u{1b}[31mb\\u{a}c\\u{202e}d")
        #expect(PlainText.of("naïve 日本") == "naïve 日本")
        #expect(PlainText.of("abcdef", upTo: 3) == "abc…")
    }

    @Test func theLocaleSaysWhetherItIsUnicode() {
        #expect(Terminal.isUnicode(["LANG": "en_US.UTF-8"]))
        #expect(Terminal.isUnicode(["LC_ALL": "C.utf8", "LANG": "C"]))
        #expect(!Terminal.isUnicode(["LC_ALL": "C", "LANG": "en_US.UTF-8"]))
        #expect(!Terminal.isUnicode([:]))
    }
}
