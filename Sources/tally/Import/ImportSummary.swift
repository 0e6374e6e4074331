// SPDX-License-Identifier: Apache-2.0

/// What became of a file.
struct ImportSummary: Equatable, Sendable {
    struct Rejection: Equatable, Sendable {
        /// From 1.
        let line: Int
        let reason: String
    }

    /// How many rejected lines are shown.
    static let shownRejections = 5

    /// Records that are neither blank nor a header.
    var lines: Int64 = 0
    /// How often something happened that was counted now.
    var counted: Int64 = 0
    /// The same for what an earlier run had sent.
    var alreadyThere: Int64 = 0
    /// Good lines that the expression doesn't match.
    var unmatched: Int64 = 0
    var rejected: Int64 = 0
    /// Names with bytes that are no UTF-8.
    var repairedNames: Int64 = 0
    /// The first few.
    private(set) var rejections: [Rejection] = []
    private var subjects: Set<ImportedEvent.Subject> = []

    var banners: Int { subjects.count }

    mutating func add(_ outcome: RecordOutcome, line: Int) {
        switch outcome {
        case .nothing: return
        case .unmatched: unmatched += 1
        case .rejected(let reason):
            rejected += 1
            if rejections.count < ImportSummary.shownRejections {
                rejections.append(Rejection(line: line, reason: reason))
            }
        case .event(let event, let isRepaired):
            subjects.insert(event.subject)
            if isRepaired { repairedNames += 1 }
        }
        lines += 1
    }

    /// A block is in the server's log.
    mutating func add(events: Int64, isDuplicate: Bool) {
        if isDuplicate { alreadyThere += events } else { counted += events }
    }

    /// Nothing in the file is an event.
    var isEmpty: Bool { subjects.isEmpty }

    /// For standard error, a line each.
    var report: [String] {
        var report = rejections.map { "line \(NumberText.grouped($0.line)): \($0.reason)" }
        let hidden = rejected - Int64(rejections.count)
        if hidden > 0 { report.append("… and \(NumberText.counted(hidden, "more line")) that can't be read") }
        if repairedNames > 0 {
            let names = NumberText.counted(repairedNames, "name")
            report.append("\(names) had bytes that are no UTF-8; these are U+FFFD now")
        }
        report.append(
            "\(NumberText.counted(lines, "line")): \(NumberText.counted(counted, "event")) counted, "
                + "\(NumberText.grouped(alreadyThere)) already there, \(NumberText.counted(banners, "banner")), "
                + "\(NumberText.counted(unmatched, "line")) without a match, \(NumberText.grouped(rejected)) rejected")
        return report
    }
}
