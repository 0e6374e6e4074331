// SPDX-License-Identifier: Apache-2.0

/// The counts of one banner as a table: a row for each time, a column for each kind.
struct SeriesTable {
    let answer: SeriesAnswer
    let terminal: Terminal

    var text: String {
        let series = answer.series.filter { !$0.points.isEmpty }.sorted { $0.kind < $1.kind }
        guard !series.isEmpty else { return "nothing was counted from \(answer.from) to \(answer.to)\n" }
        return table(series) + summary(series)
    }

    private func table(_ series: [SeriesAnswer.Series]) -> String {
        let times = Set(series.flatMap { $0.points.map(\.time) }).sorted()
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
            let sum = one.points.reduce(Int64(0)) { $0 + $1.count }
            let line = "\(PlainText.of(one.kind)): \(NumberText.grouped(sum))"
            guard let width = terminal.width, terminal.isUnicode, width > line.count + 10 else { return line + "\n" }
            return "\(line)  \(Sparkline.text(one.points.map(\.count), width: width - line.count - 3))\n"
        }
        return "\n" + lines.joined()
    }
}
