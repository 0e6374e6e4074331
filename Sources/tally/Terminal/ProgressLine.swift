// SPDX-License-Identifier: Apache-2.0

/// How far a long piece of work is.
struct WorkProgress: Equatable, Sendable {
    enum Unit: Equatable, Sendable {
        case bytes
        /// Things that are counted, such as "rows".
        case things(String)
    }

    var done: Int64
    /// nil when nobody knows.
    var total: Int64?
    var unit = Unit.bytes

    /// 0 to 1.
    var fraction: Double? {
        guard let total, total > 0 else { return nil }
        return min(1, Double(max(0, done)) / Double(total))
    }
}

/// Shows progress as text: how much, how fast, how long still.
struct ProgressLine {
    /// What is being done, such as "importing".
    let label: String
    let progress: WorkProgress
    let elapsed: Duration

    /// For a terminal: with a bar, and no wider than `width`.
    func bar(width: Int) -> String {
        let facts = self.facts
        guard let fraction = progress.fraction else { return String("\(label) \(facts)".prefix(width)) }
        let room = min(30, width - label.count - facts.count - 4)
        guard room >= 5 else { return String("\(label) \(facts)".prefix(width)) }
        let filled = Int(fraction * Double(room))
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: room - filled)
        return "\(label) [\(bar)] \(facts)"
    }

    /// For a log file.
    var plain: String { "\(label): \(facts)" }

    private var facts: String {
        var facts: [String] = []
        if let fraction = progress.fraction { facts.append("\(Int(fraction * 100))%") }
        facts.append(
            (progress.total.map { "\(number(progress.done)) of \(number($0))" } ?? number(progress.done)) + unit)
        if let rate { facts.append("\(number(Int64(rate)))/s") }
        if let remaining { facts.append("\(NumberText.clock(remaining)) left") }
        return facts.joined(separator: ", ")
    }

    private func number(_ number: Int64) -> String {
        progress.unit == .bytes ? NumberText.bytes(number) : NumberText.grouped(number)
    }

    private var unit: String {
        if case .things(let name) = progress.unit { return " " + name }
        return ""
    }

    /// How much a second since the beginning; nil before there is something to divide.
    private var rate: Double? {
        let seconds = elapsed / .seconds(1)
        return seconds >= 0.5 && progress.done > 0 ? Double(progress.done) / seconds : nil
    }

    private var remaining: Duration? {
        guard let rate, let total = progress.total, total >= progress.done else { return nil }
        return .seconds((Double(total - progress.done) / rate).rounded(.up))
    }
}
