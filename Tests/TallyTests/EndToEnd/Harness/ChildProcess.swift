// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Synchronization

/// A program that runs beside the test. A thread of its own drains both of its streams and reaps it, so it can neither
/// block on a full pipe nor stay behind as a zombie; when this object goes, the program is killed.
final class ChildProcess: Sendable {
    enum Exit: Equatable {
        case code(Int32)
        case signal(Int32)
    }

    /// What is known about the program so far.
    struct Report {
        var output: [UInt8] = []
        var errors: [UInt8] = []
        /// Nil while it runs.
        var exit: Exit?

        var outputText: String { String(decoding: output, as: UTF8.self) }
        var errorText: String { String(decoding: errors, as: UTF8.self) }
    }

    let pid: pid_t
    private let watch = ReportWatch()

    /// - Parameters:
    ///   - executable: an absolute path.
    ///   - environment: all of it; nothing is inherited.
    init(executable: String, arguments: [String], environment: [String: String]) throws {
        let watch = watch
        let started = Handover<Result<pid_t, any Error>>()
        // The thread that starts the program stays as long as it does: see `spawn`.
        Thread.detachNewThread {
            do {
                let spawned = try spawn(executable, arguments: arguments, environment: environment)
                started.give(.success(spawned.pid))
                ProcessReader(pid: spawned.pid, output: spawned.output, errors: spawned.errors, watch: watch).run()
            } catch {
                started.give(.failure(error))
            }
        }
        pid = try started.take().get()
    }

    deinit { signal(SIGKILL) }

    var report: Report { watch.report }

    /// Does nothing when the program has ended: its number may belong to another one by then.
    func signal(_ number: Int32) {
        watch.whileRunning { _ = kill(pid, number) }
    }

    /// Waits until `find` finds something in the report.
    /// - Throws: `HarnessError` when that doesn't happen `within` the time, or the program ends without it.
    func wait<Found: Sendable>(
        for what: String, within limit: Duration = .seconds(30), _ find: @escaping @Sendable (Report) -> Found?
    ) async throws -> Found {
        try await watch.wait(for: what, within: limit, find)
    }

    func waitForExit(within limit: Duration = .seconds(30)) async throws -> Exit {
        try await wait(for: "the end of the process", within: limit) { $0.exit }
    }
}

/// What went wrong outside of the program under test, or what it didn't do in time.
struct HarnessError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// - Parameter call: the name of the system call that has just failed.
    static func system(_ call: String, _ code: Int32 = errno) -> HarnessError {
        HarnessError("\(call): \(String(cString: strerror(code)))")
    }
}

/// One value, from one thread to another that waits for it.
private final class Handover<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let isGiven = DispatchSemaphore(value: 0)

    func give(_ value: Value) {
        self.value.withLock { $0 = value }
        isGiven.signal()
    }

    func take() -> Value {
        isGiven.wait()
        return value.withLock { value in
            guard let value else { preconditionFailure("the semaphore is raised after the value is given") }
            return value
        }
    }
}
