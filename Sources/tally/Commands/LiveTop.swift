// SPDX-License-Identifier: Apache-2.0

/// `tally top` in a terminal: drawn anew every two seconds until Ctrl-C. While the server is away it shows what it knew.
struct LiveTop {
    let title: String
    let environment: [String: String]
    let ask: () async throws -> TopAnswer

    private static let pause = Duration.seconds(2)

    func run() async throws {
        let output = OutputFile.standardOutput()
        // The first answer before the screen changes: a wrong address is told like anywhere.
        var answer = try await ask()
        var problem: String?
        try output.write(LiveScreen.begin)
        defer {
            try? output.write(LiveScreen.end)
            try? output.finish()
        }
        while true {
            let width = Terminal.standardOutput(environment: environment).width ?? 80
            let text = LiveTop.text(answer, title: title, problem: problem, width: width)
            try output.write(LiveScreen.frame(text, width: width, height: Terminal.heightOfStandardOutput()))
            try output.flush()
            // Ctrl-C is how this ends, and no failure.
            do { try await Task.sleep(for: LiveTop.pause) } catch { return }
            do {
                answer = try await ask()
                problem = nil
            } catch let failure as CommandFailure {
                problem = failure.lines.first
            } catch is CancellationError {
                return
            }
        }
    }

    /// - Parameter problem: why the answer is an old one.
    static func text(_ answer: TopAnswer, title: String, problem: String?, width: Int) -> String {
        let note = problem.map { "\(PlainText.of($0, upTo: 200)); shown is what was known last" } ?? ""
        let time = answer.to.dropFirst(11).prefix(5)
        let head = "\(title) · until \(time) UTC · Ctrl-C ends\n\(note)\n"
        guard let largest = answer.top.map(\.count).max(), largest > 0 else { return head + TopCommand.text(answer) }
        let table = TopCommand.text(answer).split(separator: "\n")
        let room = width - (table.map(\.count).max() ?? 0) - 3
        let lines = table.enumerated().map { index, line in
            guard index > 0, room >= 5 else { return String(line) }
            let share = Double(answer.top[index - 1].count) / Double(largest)
            return line + "  " + String(repeating: "█", count: max(1, Int((share * Double(min(room, 40))).rounded())))
        }
        return head + lines.joined(separator: "\n") + "\n"
    }
}
