// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The other tests trust the harness; here it is tried with programs whose behaviour is known.
@Suite("The harness starts, watches and ends programs", .timeLimit(.minutes(5)))
struct HarnessTests {
    @Test("both streams and the exit code of a program are seen")
    func streamsAndExitCode() async throws {
        try await withSandbox { sandbox in
            let child = try sandbox.shell("echo out; echo err >&2; exit 3")
            #expect(try await child.waitForExit() == .code(3))
            #expect(child.report.outputText == "out\n")
            #expect(child.report.errorText == "err\n")
        }
    }

    @Test("a program that writes more than a pipe holds is not blocked")
    func fullPipe() async throws {
        try await withSandbox { sandbox in
            let child = try sandbox.shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2")
            #expect(try await child.waitForExit() == .code(0))
            #expect(child.report.output.count == 3_000_000)
            #expect(child.report.errors.count == 3_000_000)
        }
    }

    @Test("a program hears signals although the test's threads block them", arguments: [SIGTERM, SIGINT, SIGKILL])
    func signals(number: Int32) async throws {
        try await withSandbox { sandbox in
            let child = try sandbox.shell("echo ready; exec sleep 1000")
            try await child.wait(for: "ready") { $0.outputText == "ready\n" ? () : nil }
            child.signal(number)
            #expect(try await child.waitForExit() == .signal(number))
        }
    }

    @Test("who waits in vain is told what the program wrote and how it ended")
    func waitingInVain() async throws {
        try await withSandbox { sandbox in
            let child = try sandbox.shell("echo only this; exit 4")
            let error = await #expect(throws: HarnessError.self) {
                try await child.wait(for: "more") { $0.outputText.contains("more") ? () : nil }
            }
            #expect(error?.description.contains("only this") == true)
            #expect(error?.description.contains("code(4)") == true)
        }
    }

    @Test("a program that keeps running is not waited for beyond the limit")
    func limit() async throws {
        try await withSandbox { sandbox in
            let child = try sandbox.shell("exec sleep 1000")
            await #expect(throws: HarnessError.self) { try await child.waitForExit(within: .milliseconds(20)) }
            #expect(child.report.exit == nil)
        }
    }

    @Test("neither a process nor a file stays behind, even when a test fails")
    func nothingStaysBehind() async throws {
        var pid: pid_t = 0
        var path = ""
        await #expect(throws: HarnessError.self) {
            try await withSandbox { sandbox in
                pid = try sandbox.shell("exec env --ignore-signal=TERM sleep 1000").pid
                path = sandbox.directory.path
                throw HarnessError("a failure")
            }
        }
        #expect(kill(pid, 0) == -1, "neither running nor a zombie")
        #expect(pid > 0 && path != "" && !FileManager.default.fileExists(atPath: path))
    }

    @Test("a program has ended when it has, though another one still holds its streams")
    func inheritedStreams() async throws {
        try await withSandbox { sandbox in
            let child = try sandbox.shell("sleep 2 & echo started")
            #expect(try await child.waitForExit(within: .seconds(1)) == .code(0))
            #expect(child.report.outputText == "started\n")
        }
    }

    @Test("a program doesn't outlive a crash of the tests")
    func crashOfTheTests() async throws {
        // The thread that started it ends as it would with the process of the tests: without a word.
        let pid = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let spawned = try? spawn("/bin/sh", arguments: ["-c", "echo ready; exec sleep 1000"], environment: [:])
                var byte: UInt8 = 0
                let isReady = spawned.map { read($0.output, &byte, 1) == 1 } ?? false
                continuation.resume(returning: isReady ? spawned?.pid ?? 0 : 0)
            }
        }
        try #require(pid > 0)
        var status: Int32 = 0
        #expect(waitpid(pid, &status, 0) == pid)
        #expect(status & 0x7f == SIGKILL)
    }

    @Test("a program that cannot be started is an error")
    func missingProgram() async throws {
        try await withSandbox { sandbox in
            #expect(throws: HarnessError.self) { try sandbox.start([], executable: "/nonexistent") }
        }
    }

    @Test("a server that ends instead of answering is an error that says so, at once")
    func serviceThatEnds() async throws {
        try await withSandbox { sandbox in
            let directory = sandbox.directory.appending("server")
            let process = try sandbox.startService("zookeeper", in: directory, port: 1, verb: "no-such-verb")
            let error = await #expect(throws: HarnessError.self) {
                try await sandbox.waitForService("zookeeper", process, in: directory, port: 1)
            }
            let text = error?.description ?? ""
            #expect(text.hasPrefix("zookeeper does not start; it ended with code(1): zookeeper: what"), "\(text)")
        }
    }
}

extension Sandbox {
    fileprivate func shell(_ script: String) throws -> ChildProcess {
        try start(["-c", script], executable: "/bin/sh")
    }
}
