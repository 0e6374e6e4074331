// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEndTests {
    @Suite("What it can't start with is named", .timeLimit(.minutes(5)))
    struct StartTests {
        @Test("a port that is in use")
        func portInUse() async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve()
                let address = "127.0.0.1:\(first.port)"
                let second = try await sandbox.run(
                    "serve", "--listen", address, "--data", sandbox.directory.appending("other"))
                #expect(second.exit == .code(1))
                #expect(second.errors.contains("\(first.port)"), "\(second.errors)")
                #expect(second.errors.lowercased().contains("in use"), "\(second.errors)")
                #expect(try await first.client.count(7).status == 204)
            }
        }

        @Test("an ordinary limit of open files is raised, so that a thousand clients are not too many")
        func openFiles() async throws {
            try await withSandbox { sandbox in
                let serve = "\(Sandbox.executable) serve --listen 127.0.0.1:0 --data \(sandbox.data)"
                let shell = try sandbox.start(["-c", "ulimit -Sn 100; exec \(serve)"], executable: "/bin/sh")
                let tally = try await TallyProcess(shell)
                try await tally.waitUntilReady()
                let limits = try String(contentsOfFile: "/proc/\(tally.process.pid)/limits", encoding: .utf8)
                let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
                let numbers = line.split(separator: " ").compactMap { Int($0) }
                #expect(numbers.count == 2 && numbers[0] == numbers[1] && numbers[0] > 100, "\(line)")
                #expect(try await tally.client.count(7).status == 204)
            }
        }

        @Test("a data directory that another process has, with the number of that process")
        func secondProcess() async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve()
                let second = try await sandbox.run("serve", "--listen", "127.0.0.1:0", "--data", sandbox.data)
                #expect(second.exit == .code(1))
                #expect(second.errors.contains("\(first.process.pid)"), "\(second.errors)")
                #expect(second.errors.contains(sandbox.data), "\(second.errors)")
                #expect(try await first.client.count(7).status == 204)
                try await first.kill()
                // A crash leaves no lock that a person must remove.
                #expect(try await sandbox.serve().client.total(of: 7) == 1)
            }
        }

        @Test("a data directory that can't be made", arguments: ["/sys/tally-data", "/dev/null/tally-data"])
        func impossibleDirectory(path: String) async throws {
            try await withSandbox { sandbox in
                let finished = try await sandbox.run("serve", "--listen", "127.0.0.1:0", "--data", path)
                #expect(finished.exit == .code(1))
                #expect(finished.errors.contains(path), "\(finished.errors)")
            }
        }

        @Test(
            "a data directory that can't be written",
            .enabled(if: getuid() != 0, "root may write everywhere; `impossibleDirectory` has paths where it can't"))
        func readOnlyDirectory() async throws {
            try await withSandbox { sandbox in
                try FileManager.default.createDirectory(atPath: sandbox.data, withIntermediateDirectories: false)
                #expect(chmod(sandbox.data, 0o500) == 0)
                let finished = try await sandbox.run("serve", "--listen", "127.0.0.1:0", "--data", sandbox.data)
                #expect(finished.exit == .code(1))
                #expect(finished.errors.contains(sandbox.data), "\(finished.errors)")
            }
        }

        @Test("missing parents of the data directory are made")
        func missingParents() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve(data: sandbox.directory.appending("a/b/c"))
                #expect(try await tally.client.count(7).status == 204)
            }
        }

        @Test("data of a newer version, which stay as they are")
        func newerVersion() async throws {
            try await withSandbox { sandbox in
                #expect(try await sandbox.serve().terminate() == .code(0))
                let version = URL(filePath: "\(sandbox.data)/VERSION")
                let text = try String(contentsOf: version, encoding: .utf8)
                let newer = text.replacing(/\d+/, with: "99")
                try newer.write(to: version, atomically: true, encoding: .utf8)
                let finished = try await sandbox.run("serve", "--listen", "127.0.0.1:0", "--data", sandbox.data)
                #expect(finished.exit == .code(1))
                #expect(finished.errors.contains("99"), "\(finished.errors)")
                #expect(try String(contentsOf: version, encoding: .utf8) == newer)
            }
        }

        @Test("a directory that holds something else, which stays as it is")
        func foreignDirectory() async throws {
            try await withSandbox { sandbox in
                let manager = FileManager.default
                try manager.createDirectory(atPath: sandbox.data, withIntermediateDirectories: false)
                try "sand".write(toFile: "\(sandbox.data)/holiday.txt", atomically: true, encoding: .utf8)
                let finished = try await sandbox.run("serve", "--listen", "127.0.0.1:0", "--data", sandbox.data)
                #expect(finished.exit == .code(1))
                #expect(finished.errors.contains(sandbox.data), "\(finished.errors)")
                #expect(try manager.contentsOfDirectory(atPath: sandbox.data) == ["holiday.txt"])
            }
        }

        @Test(
            "a value that makes no sense, with what is allowed",
            arguments: [
                (["--layout", "week"], ["layout", "week", "minute", "hour"]),
                (["--flush-every", "5parsecs"], ["flush-every", "5parsecs"]),
                (["--listen", "nowhere"], ["listen", "nowhere", "HOST:PORT"]),
                (["--segment-size", "1KiB"], ["segment-size", "1KiB", "1MiB"]),
                (["--counter-status", "500"], ["counter-status", "500", "204"]),
                (["--banners", "some"], ["banners", "some", "any", "registered"]),
                (["--store", "papyrus:x"], ["store", "papyrus", "sqlite:PATH"]),
                (["--colour", "red"], ["--colour"]),
                (["--layout", "week", "--flush-every", "never"], ["week", "never"]),
            ])
        func wrongFlag(flags: [String], words: [String]) async throws {
            try await withSandbox { sandbox in
                let child = try sandbox.start(["serve", "--data", sandbox.data] + flags)
                #expect(try await child.waitForExit() == .code(64))
                let errors = child.report.errorText
                for word in words { #expect(errors.contains(word), "\(errors)") }
                #expect(!FileManager.default.fileExists(atPath: sandbox.data), "nothing is made before all is checked")
            }
        }

        @Test("a wrong value in the environment, by the name of its variable")
        func wrongEnvironment() async throws {
            try await withSandbox { sandbox in
                let child = try sandbox.start(
                    ["serve"], environment: ["TALLY_LAYOUT": "week", "TALLY_DATA": sandbox.data])
                #expect(try await child.waitForExit() == .code(64))
                #expect(child.report.errorText.contains("TALLY_LAYOUT"), "\(child.report.errorText)")
            }
        }

        @Test(
            "help and version need no server and end with 0",
            arguments: [["--help"], ["serve", "--help"], ["version"]])
        func help(arguments: [String]) async throws {
            try await withSandbox { sandbox in
                let child = try sandbox.start(arguments)
                #expect(try await child.waitForExit() == .code(0))
                #expect(!child.report.output.isEmpty && child.report.errors.isEmpty)
            }
        }
    }
}
