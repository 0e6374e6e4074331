// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A directory and the programs that a test starts. `withSandbox` leaves neither behind, however the test ends.
final class Sandbox: Sendable {
    let directory: TemporaryDirectory
    private let children = Mutex<[ChildProcess]>([])

    fileprivate init() throws { directory = try TemporaryDirectory() }

    /// Where the server keeps its data, unless a test says otherwise. It doesn't exist until the first start.
    var data: String { directory.appending("data") }

    /// The program that was built with the tests, or the one that `TALLY_EXECUTABLE` names.
    static let executable: String = {
        if let path = ProcessInfo.processInfo.environment["TALLY_EXECUTABLE"] {
            return URL(filePath: path).standardizedFileURL.path
        }
        let tests = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        return tests.deletingLastPathComponent().appending(path: "tally").path
    }()

    /// Starts `tally` with these arguments, or another program.
    /// Where the libraries are that stand in for the system's: the program is to run with those that the tests run with.
    private static let libraries = ProcessInfo.processInfo.environment.filter { $0.key == "LD_LIBRARY_PATH" }

    /// - Parameter environment: added to a nearly empty one, so that settings of the developer have no effect.
    func start(
        _ arguments: [String], executable: String = Sandbox.executable, environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let base = Sandbox.libraries.merging([
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": directory.path, "TZ": "UTC",
        ]) { $1 }
        let child = try ChildProcess(
            executable: executable, arguments: arguments, environment: base.merging(environment) { $1 })
        children.withLock { $0.append(child) }
        return child
    }

    /// Runs `tally` with these arguments to its end.
    func run(_ arguments: String..., within limit: Duration = .seconds(60)) async throws -> Finished {
        try await run(arguments: arguments, within: limit)
    }

    func run(arguments: [String], within limit: Duration = .seconds(60)) async throws -> Finished {
        let child = try start(arguments)
        let exit = try await child.waitForExit(within: limit)
        let report = child.report
        return Finished(exit: exit, output: report.outputText, errors: report.errorText)
    }

    struct Finished {
        let exit: ChildProcess.Exit
        let output: String
        let errors: String
    }

    /// What the programs had to say may explain why a test ended early.
    fileprivate func printErrors() {
        for child in children.withLock({ $0 }) where !child.report.errors.isEmpty {
            print("Process \(child.pid) wrote:\n\(child.report.errorText.suffix(2000))")
        }
    }

    fileprivate func end() async {
        for child in children.withLock({ $0 }) {
            child.signal(SIGKILL)
            _ = try? await child.waitForExit()
        }
        directory.remove()
    }
}

/// - Parameter body: may leave servers running; they are killed.
@discardableResult
func withSandbox<Result>(_ body: (Sandbox) async throws -> Result) async throws -> Result {
    let sandbox = try Sandbox()
    do {
        let result = try await body(sandbox)
        await sandbox.end()
        return result
    } catch {
        sandbox.printErrors()
        await sandbox.end()
        throw error
    }
}
