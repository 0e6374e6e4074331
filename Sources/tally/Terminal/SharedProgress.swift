// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Progress of a server's start, whose work runs on other threads and isn't stopped half-way.
final class SharedProgress: Sendable {
    private let reporter: Mutex<ProgressReporter>
    private let unit: WorkProgress.Unit

    init(label: String, unit: WorkProgress.Unit = .bytes) {
        let terminal = Terminal.standardError(environment: ProcessEnvironment.variables)
        self.reporter = Mutex(ProgressReporter(label: label, terminal: terminal))
        self.unit = unit
    }

    func update(_ done: Int64, of total: Int64) {
        reporter.withLock { $0.show(WorkProgress(done: done, total: total, unit: unit)) }
    }

    func clear() { reporter.withLock { $0.clear() } }
}
