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

    private final class Running {
        let input = Pipe()
        let output = Pipe()
        let errors = Pipe()
        private(set) var pid: pid_t = 0
        /// As `waitpid` told it; nil while it runs.
        private var status: Int32?

        /// - Parameter standardInput: instead of `input`.
        init(
            _ arguments: [String], environment: [String: String] = [:], standardInput: FileHandle? = nil,
            outputIsClosed: Bool = false
        ) throws {
            if outputIsClosed { try output.fileHandleForReading.close() }
            pid = try spawnOnDescriptors(
                [ProcessTests.program.path] + arguments, environment: environment,
                input: (standardInput ?? input.fileHandleForReading).fileDescriptor,
                output: output.fileHandleForWriting.fileDescriptor, errors: errors.fileHandleForWriting.fileDescriptor)
            try input.fileHandleForReading.close()
            try output.fileHandleForWriting.close()
            try errors.fileHandleForWriting.close()
        }

        deinit { if !hasEnded { kill(pid, SIGKILL) } }

        var hasEnded: Bool {
            var found: Int32 = 0
            if status == nil, waitpid(pid, &found, WNOHANG) == pid { status = found }
            return status != nil
        }

        /// Waits for the end; -1 when it was no exit.
        func exitCode() -> Int32 {
            var found: Int32 = 0
            while status == nil {
                if waitpid(pid, &found, 0) == pid { status = found }
            }
            let status = status ?? 0
            return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
        }

        /// Waits for the end.
        func ending() throws -> (code: Int32, output: String, errors: String) {
            let output = try self.output.fileHandleForReading.readToEnd() ?? Data()
            let errors = try self.errors.fileHandleForReading.readToEnd() ?? Data()
            return (exitCode(), String(decoding: output, as: UTF8.self), String(decoding: errors, as: UTF8.self))
        }
    }

    @Test("a signal stops the work with its exit code", arguments: [Int32(2), 15])
    func signalsStopTheWork(signal: Int32) throws {
        let running = try Running(["import", "-", "--format", "csv"])
        // More than a pipe holds: when it is written, the program is at work.
        try running.input.fileHandleForWriting.write(contentsOf: Data(repeating: UInt8(ascii: "x"), count: 1 << 20))
        kill(running.pid, signal)
        let ending = try running.ending()
        #expect(ending.code == 128 + signal)
        #expect(ending.output.isEmpty)
        #expect(ending.errors == "tally: interrupted\n")
    }

    @Test("who is asked to type the events is told so")
    func terminalInput() throws {
        let terminal = try PseudoTerminal()
        let running = try Running(["import"], standardInput: terminal.input)
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
        let running = try Running(["journal", "dump", "--data", data])
        try await eventually("more is written than a pipe holds") {
            var unread: Int32 = 0
            let descriptor = running.output.fileHandleForReading.fileDescriptor
            return ioctl(descriptor, UInt(FIONREAD), &unread) == 0 && unread >= 1 << 16
        }
        try await eventually("it has ended, though nobody reads what it writes") {
            kill(running.pid, signal)
            return running.hasEnded
        }
        #expect(running.exitCode() == 128 + signal)
    }

    @Test(
        "a reader that goes away is no error",
        arguments: [["version"], ["serve", "--print-config"], ["serve", "--help"]])
    func aClosedPipeEndsQuietly(arguments: [String]) throws {
        let running = try Running(arguments, outputIsClosed: true)
        let errors = try running.errors.fileHandleForReading.readToEnd() ?? Data()
        #expect(running.exitCode() == 0)
        #expect(errors.isEmpty)
    }

    @Test func settingsComeFromFlagEnvironmentFileAndDefault() throws {
        let directory = try ScratchDirectory()
        let file = try directory.file("tally.json", Array(#"{"max-banners": 7}"#.utf8))
        let environment = ["TALLY_CONFIG": file, "TALLY_LAYOUT": "hour", "TALLY_LAYOTU": "x"]
        let running = try Running(["serve", "--print-config", "--log-level", "debug"], environment: environment)
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
        let running = try Running(["serve", "--listen", "x"], environment: ["TALLY_STORE": "y"])
        let ending = try running.ending()
        #expect(ending.code == 64)
        #expect(ending.errors.split(separator: "\n").count == 2)
        #expect(ending.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("tally: ") && $0.contains("allowed: ") })
    }
}
