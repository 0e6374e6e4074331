// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyBackends
import TallyCore
import Testing

/// The program itself, as a shell runs it.
struct ProcessTests {
    /// It is built into the same directory as the tests.
    private static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "tally")

    private struct Running {
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        let errors = Pipe()

        init(_ arguments: [String], environment: [String: String] = [:]) {
            process.executableURL = ProcessTests.program
            process.arguments = arguments
            process.environment = environment
            process.standardInput = input
            process.standardOutput = output
            process.standardError = errors
        }

        /// Waits for the end.
        func ending() throws -> (code: Int32, output: String, errors: String) {
            let output = try self.output.fileHandleForReading.readToEnd() ?? Data()
            let errors = try self.errors.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            #expect(process.terminationReason == .exit)
            return (
                process.terminationStatus, String(decoding: output, as: UTF8.self),
                String(decoding: errors, as: UTF8.self)
            )
        }
    }

    @Test("a signal stops the work with its exit code", arguments: [Int32(2), 15])
    func signalsStopTheWork(signal: Int32) throws {
        let running = Running(["import", "-", "--format", "csv"])
        try running.process.run()
        // More than a pipe holds: when it is written, the program is at work.
        try running.input.fileHandleForWriting.write(contentsOf: Data(repeating: UInt8(ascii: "x"), count: 1 << 20))
        kill(running.process.processIdentifier, signal)
        let ending = try running.ending()
        #expect(ending.code == 128 + signal)
        #expect(ending.output.isEmpty)
        #expect(ending.errors == "tally: interrupted\n")
    }

    @Test("who is asked to type the events is told so")
    func terminalInput() throws {
        let terminal = try PseudoTerminal()
        let running = Running(["import"])
        running.process.standardInput = terminal.input
        try running.process.run()
        // Ctrl-D.
        try terminal.type("\u{4}")
        let ending = try running.ending()
        #expect(ending.code == 1)
        #expect(
            ending.errors == "tally: reading what is typed here; Ctrl-D ends it\ntally: standard input: it is empty\n")
    }

    @Test("a second signal ends what the first can't reach", arguments: [SIGINT, SIGTERM])
    func secondSignal(signal: Int32) async throws {
        let directory = try ScratchDirectory()
        let data = "\(directory.path)/data"
        let chunks = SampleChunks.chunks(1...2_000)
        _ = try await JournalLog.open(in: DataDirectory(path: data), newIdentity: SampleChunks.node).append(chunks)
        let running = Running(["journal", "dump", "--data", data])
        try running.process.run()
        try await eventually("more is written than a pipe holds") {
            var unread: Int32 = 0
            let descriptor = running.output.fileHandleForReading.fileDescriptor
            return ioctl(descriptor, UInt(FIONREAD), &unread) == 0 && unread >= 1 << 16
        }
        try await eventually("it has ended, though nobody reads what it writes") {
            kill(running.process.processIdentifier, signal)
            return !running.process.isRunning
        }
        #expect(running.process.terminationReason == .exit)
        #expect(running.process.terminationStatus == 128 + signal)
    }

    @Test(
        "a reader that goes away is no error",
        arguments: [["version"], ["serve", "--print-config"], ["serve", "--help"]])
    func aClosedPipeEndsQuietly(arguments: [String]) throws {
        let running = Running(arguments)
        try running.output.fileHandleForReading.close()
        try running.process.run()
        try running.output.fileHandleForWriting.close()
        let errors = try running.errors.fileHandleForReading.readToEnd() ?? Data()
        running.process.waitUntilExit()
        #expect(running.process.terminationReason == .exit)
        #expect(running.process.terminationStatus == 0)
        #expect(errors.isEmpty)
    }

    @Test func settingsComeFromFlagEnvironmentFileAndDefault() throws {
        let directory = try ScratchDirectory()
        let file = try directory.file("tally.json", Array(#"{"max-banners": 7}"#.utf8))
        let environment = ["TALLY_CONFIG": file, "TALLY_LAYOUT": "hour", "TALLY_LAYOTU": "x"]
        let running = Running(["serve", "--print-config", "--log-level", "debug"], environment: environment)
        try running.process.run()
        let ending = try running.ending()
        #expect(ending.code == 0)
        #expect(ending.errors.hasPrefix("tally: warning: the environment variable TALLY_LAYOTU"))
        let lines = Set(ending.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") })
        #expect(
            lines.isSuperset(of: [
                "log-level debug flag --log-level", "layout hour environment TALLY_LAYOUT",
                "max-banners 7 file \(file)",
                "flush-every 60s default",
            ]))
    }

    @Test func allWrongSettingsAreToldWithExitCode64() throws {
        let running = Running(["serve", "--listen", "x"], environment: ["TALLY_STORE": "y"])
        try running.process.run()
        let ending = try running.ending()
        #expect(ending.code == 64)
        #expect(ending.errors.split(separator: "\n").count == 2)
        #expect(ending.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("tally: ") && $0.contains("allowed: ") })
    }
}
