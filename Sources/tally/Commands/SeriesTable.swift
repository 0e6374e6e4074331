// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The counts of one banner as a table: a row for each time, a column for each kind.
struct SeriesTable {
    let answer: SeriesAnswer
    let terminal: Terminal

    var text: String {
        let series = answer.series.filter { $0.points.contains { $0.count > 0 } }.sorted { $0.kind < $1.kind }
        guard !series.isEmpty else { return "nothing was counted from \(answer.from) to \(answer.to)\n" }
        return table(series) + summary(series)
    }

    private func table(_ series: [SeriesAnswer.Series]) -> String {
        let times = Set(series.flatMap { $0.points.filter { $0.count > 0 }.map(\.time) }).sorted()
        let counts = series.map { one in
            Dictionary(one.points.map { ($0.time, $0.count) }, uniquingKeysWith: { first, _ in first })
        }
        let open = Set(series.flatMap { $0.points.filter { !$0.isFinal }.map(\.time) })
        let rows = times.map { time in
            [time] + counts.map { NumberText.grouped($0[time] ?? 0) } + [open.contains(time) ? "still counting" : ""]
        }
        return TextTable(
            header: ["time"] + series.map { PlainText.of($0.kind) } + [""], rows: rows,
            numeric: Set(1...series.count)
        ).text
    }

    /// The sum of each kind, and in a terminal its course.
    private func summary(_ series: [SeriesAnswer.Series]) -> String {
        let lines = series.map { one in
            let sum = one.points.reduce(Int64(0)) { $0.addingSaturated($1.count) }
            return "\(PlainText.of(one.kind)): \(NumberText.grouped(sum))\n" + chart(one)
        }
        return "\n" + lines.joined()
    }

    private func chart(_ series: SeriesAnswer.Series) -> String {
        guard let width = terminal.width, terminal.isUnicode, let first = series.points.first,
            let last = series.points.last
        else { return "" }
        let ends = (first: PlainText.of(first.time), last: PlainText.of(last.time))
        return BlockChart.text(series.points.map(\.count), ends: ends, width: width) + "\n"
    }
}
