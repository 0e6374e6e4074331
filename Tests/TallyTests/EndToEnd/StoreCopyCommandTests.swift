// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Testing

extension EndToEndTests {
    @Suite("tally store copy and tally store check", .timeLimit(.minutes(5)))
    struct StoreCopyCommandTests {
        @Test(
            "a server goes on counting with the copy of its store, in the other layout",
            arguments: [EndToEndStore.oldClickHouse, .modernClickHouse], ["minute", "hour"])
        func moveToAnotherStore(_ store: EndToEndStore, layout: String) async throws {
            try await store.withOptions { options in
                try await withSandbox { sandbox in
                    let other = layout == "minute" ? "hour" : "minute"
                    let first = try await sandbox.serve("--layout", layout)
                    for banner in 1...5 { try await first.client.click(banner, times: banner) }
                    #expect(try await first.terminate() == .code(0))

                    let file = "sqlite:\(sandbox.data)/tally.sqlite"
                    let copy = ["store", "copy", "--from", file, "--to", options[1], "--layout", other]
                    let copied = try await sandbox.run(arguments: copy)
                    #expect(copied.exit == .code(0), "\(copied.errors)")
                    #expect(copied.output.contains(/sum in the copy +15\n/))
                    let check = ["store", "check", "--from", file, "--to", options[1]]
                    let equal = try await sandbox.run(arguments: check)
                    #expect(equal.exit == .code(0), "\(equal.output)")

                    let second = try await sandbox.serve(options: options + ["--layout", other])
                    for banner in 1...5 { #expect(try await second.client.total(of: banner) == banner) }
                    try await second.client.click(3, times: 4)
                    #expect(try await second.terminate() == .code(0))

                    let different = try await sandbox.run(arguments: check)
                    #expect(different.exit == .code(1))
                    #expect(different.output.contains("problem: banner 3, click, "), "\(different.output)")
                    let journal = try await sandbox.run(
                        arguments: ["store", "check", "--data", sandbox.data] + options)
                    #expect(journal.exit == .code(0), "\(journal.output)\(journal.errors)")
                    for finished in [copied, equal, different, journal] {
                        #expect(!(finished.output + finished.errors).contains("tally-test-secret"))
                    }
                }
            }
        }

        @Test("a store that lost a click which the journal still has is found out")
        func lostClick() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve()
                try await tally.client.click(7, times: 3)
                #expect(try await tally.terminate() == .code(0))
                let sound = try await sandbox.run("store", "check", "--data", sandbox.data)
                #expect(sound.exit == .code(0), "\(sound.output)\(sound.errors)")

                let queue = try DatabaseQueue(path: "\(sandbox.data)/tally.sqlite")
                try await queue.write { try $0.execute(sql: "UPDATE minute_counts SET count = count - 1") }
                try queue.close()
                let damaged = try await sandbox.run("store", "check", "--data", sandbox.data)
                #expect(damaged.exit == .code(1))
                #expect(damaged.output.contains(/problem: banner 7, click, .*: 2 in the store, at least 3 in the log/))
            }
        }

        @Test("what is no store, and half of a question, is refused without the password")
        func usage() async throws {
            try await withSandbox { sandbox in
                let wrong = try await sandbox.run(
                    "store", "copy", "--from", "clickhouse://u:topsecret@h:99999999/x", "--to", "sqlite:/tmp/x")
                #expect(wrong.exit == .code(64))
                #expect(!wrong.errors.contains("topsecret"))
                let half = try await sandbox.run("store", "check", "--from", "sqlite:/tmp/x")
                #expect(half.exit == .code(64))
                #expect(half.errors.contains("give both or neither"))
                let absent = try await sandbox.run(
                    "store", "copy", "--from", "sqlite:\(sandbox.directory.path)/none", "--to", "sqlite:/tmp/x")
                #expect(absent.exit == .code(1))
                #expect(absent.errors.contains("there is no store at sqlite:"))
            }
        }
    }
}
