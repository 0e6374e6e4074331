// SPDX-License-Identifier: Apache-2.0

/// Shows on standard error how far work is: a line that changes in a terminal, a line every few seconds elsewhere.
final class ProgressReporter {
    private let label: String
    private let terminal: Terminal
    private let write: (String) -> Void
    private let now: () -> ContinuousClock.Instant
    private let start: ContinuousClock.Instant
    private var shown: ContinuousClock.Instant
    private var isLineOpen = false

    /// - Parameter now: the time that rates and pauses are measured by.
    init(
        label: String, terminal: Terminal, write: @escaping (String) -> Void = StandardError.write,
        now: @escaping () -> ContinuousClock.Instant = { .now }
    ) {
        self.label = label
        self.terminal = terminal
        self.write = write
        self.now = now
        start = now()
        shown = start
    }

    /// Work has come this far. Cheap: most calls show nothing.
    /// - Throws: `CancellationError` when the work is to stop.
    func update(_ progress: WorkProgress) throws {
        try Task.checkCancellation()
        show(progress)
    }

    func show(_ progress: WorkProgress) {
        let time = now()
        guard time - shown >= (terminal.isTerminal ? .milliseconds(100) : .seconds(5)) else { return }
        shown = time
        let line = ProgressLine(label: label, progress: progress, elapsed: time - start)
        if let width = terminal.width {
            write("\r\u{1B}[K" + line.bar(width: width - 1))
            isLineOpen = true
        } else {
            write(line.plain + "\n")
        }
    }

    /// Prints a line of its own, not into the bar.
    func note(_ line: String) {
        clear()
        write(line + "\n")
    }

    /// Takes the bar away.
    func clear() {
        if isLineOpen { write("\r\u{1B}[K") }
        isLineOpen = false
    }
}
