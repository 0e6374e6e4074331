// SPDX-License-Identifier: Apache-2.0

/// Runs a tool with progress and Ctrl-C, and prints what it reports.
struct MaintenanceRun: Sendable {
    /// What is being done, such as "verifying".
    let label: String
    /// What is left behind by a tool that Ctrl-C stopped, such as "nothing was changed".
    var stateWhenStopped: String?

    /// - Throws: `.failed` when the tool reports problems.
    func run(
        _ tool: @escaping @Sendable ((WorkProgress) throws -> Void) async throws -> MaintenanceReport
    ) async throws {
        try await Interruption.stopping(leaving: stateWhenStopped) {
            let terminal = Terminal.standardError(environment: ProcessEnvironment.variables)
            let reporter = ProgressReporter(label: label, terminal: terminal)
            defer { reporter.clear() }
            let report = try await tool(reporter.update)
            reporter.clear()
            let output = OutputFile.standardOutput()
            try output.write(MaintenanceRun.text(report))
            try output.finish()
            if !report.problems.isEmpty { throw MaintenanceRun.failure(report) }
        }
    }

    static func text(_ report: MaintenanceReport) -> String {
        let width = report.facts.map(\.name.count).max() ?? 0
        let facts = report.facts.map { fact in
            fact.name + String(repeating: " ", count: width - fact.name.count + 2) + fact.value + "\n"
        }
        return (facts + report.problems.map { "problem: \($0)\n" }).joined()
    }

    static func failure(_ report: MaintenanceReport) -> CommandFailure {
        .failed("\(NumberText.counted(report.problems.count, "problem")) found")
    }
}
