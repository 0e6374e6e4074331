// SPDX-License-Identifier: Apache-2.0

import Testing

extension EndToEndTests {
    @Suite("The settings of a log", .timeLimit(.minutes(5)))
    struct StoreSettingsTests {
        @Test("a server with other settings does not start before they are changed", arguments: ["minute", "hour"])
        func changed(layout: String) async throws {
            try await withSandbox { sandbox in
                let options = ["--layout", layout]
                let first = try await sandbox.serve(options: options + ["--dedup-window", "30m"])
                try await first.client.click(7, times: 3)
                #expect(try await first.terminate() == .code(0))

                let serve = ["serve", "--listen", "127.0.0.1:0", "--data", sandbox.data] + options
                let refused = try await sandbox.run(arguments: serve + ["--accept-late", "1d"])
                #expect(refused.exit == .code(1))
                for part in [
                    "--dedup-window was 30m and is now 1h", "--accept-late was 7d and is now 1d",
                    "tally store settings --store URL --dedup-window 1h --accept-late 1d",
                ] {
                    #expect(refused.errors.contains(part), "\(refused.errors)")
                }

                let settings = ["store", "settings", "--data", sandbox.data]
                let before = try await sandbox.run(arguments: settings)
                #expect(before.output.contains("--dedup-window 30m --dedup-limit 5000000 --accept-late 7d"))
                let change = try await sandbox.run(
                    arguments: settings + ["--dedup-window", "1h", "--accept-late", "1d"])
                #expect(change.exit == .code(0), "\(change.errors)")
                #expect(change.output.contains("--dedup-window 1h --dedup-limit 5000000 --accept-late 1d"))

                let second = try await sandbox.serve(options: options + ["--accept-late", "1d"])
                try await second.client.click(7, times: 2)
                #expect(try await second.client.total(of: 7) == 5)
                let busy = try await sandbox.run(arguments: settings + ["--dedup-limit", "7"])
                #expect(busy.exit == .code(1), "a server counts: \(busy.output)")
                let read = try await sandbox.run(arguments: settings)
                #expect(read.exit == .code(0), "\(read.errors)")
                #expect(try await second.terminate() == .code(0))
            }
        }

        #if PostgreSQL
        @Test("a start while the store is away needs the same settings")
        func storeAway() async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve("--flush-every", "1s")
                try await first.client.click(7, times: 3)
                #expect(try await first.terminate() == .code(0))
                let change = try await sandbox.run(
                    "store", "settings", "--data", sandbox.data, "--dedup-limit", "9")
                #expect(change.exit == .code(0), "\(change.errors)")

                // The server of this address does not answer.
                let away = ["--store", "postgres://127.0.0.1:1/none"]
                let refused = try await sandbox.run(
                    arguments: ["serve", "--listen", "127.0.0.1:0", "--data", sandbox.data] + away)
                #expect(refused.exit == .code(1))
                #expect(refused.errors.contains("--dedup-limit was 9 and is now 5000000"), "\(refused.errors)")
                let second = try await sandbox.serve(options: away + ["--dedup-limit", "9"])
                #expect(try await second.client.count(7).status == 204)
                try await second.kill()
            }
        }

        #endif

        @Test("what is no value, and no store, is refused")
        func usage() async throws {
            try await withSandbox { sandbox in
                let wrong = try await sandbox.run(
                    "store", "settings", "--data", sandbox.data, "--dedup-window", "8d")
                #expect(wrong.exit == .code(64) && wrong.errors.contains("--dedup-window"), "\(wrong.errors)")
                let absent = try await sandbox.run("store", "settings", "--data", sandbox.data)
                #expect(absent.exit == .code(1) && absent.errors.contains("there is no store"), "\(absent.errors)")
            }
        }
    }
}
