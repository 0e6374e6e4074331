// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEndTests {
    /// Ten thousand lines of a real web server's log of May 2015, and what they must come to. The two files are no part
    /// of the package; they lie beside it, in `shared/data`.
    @Suite("A real log is imported and exported to the byte", .timeLimit(.minutes(5)))
    struct ImportTests {
        private static let data = SourceFile.packageRoot.appending(path: "../shared/data").standardizedFileURL
        private static let log = data.appending(path: "access-2015.log.gz").path
        private static let expected = data.appending(path: "access-2015.expected.tsv")

        private struct Totals: Decodable, Equatable {
            let total: Int
            let banners: Int
        }

        private static let wholeLog = Totals(total: 10_000, banners: 1498)

        @Test(
            "every event is there once, also after a second import and a restart", arguments: EndToEndStore.allCases,
            ["minute", "hour"])
        func importTwice(_ store: EndToEndStore, layout: String) async throws {
            try requireData()
            try await store.withOptions { options in
                try await withSandbox { sandbox in
                    let first = try await sandbox.serve(options: options + ["--layout", layout])
                    for _ in 1...2 {
                        let finished = try await sandbox.run(arguments: importArguments(first.port))
                        #expect(finished.exit == .code(0), "\(finished.errors)")
                        try await expectWholeLog(first, in: sandbox)
                    }
                    #expect(try await first.terminate() == .code(0))
                    let second = try await sandbox.serve(options: options + ["--layout", layout])
                    try await expectWholeLog(second, in: sandbox)
                }
            }
        }

        @Test("an import that was killed half-way goes on where it was")
        func killedImport() async throws {
            try requireData()
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve()
                let killed = try sandbox.start(importArguments(tally.port))
                try await eventually("something is imported", every: .zero) { try await totals(tally).total > 0 }
                killed.signal(SIGKILL)
                _ = try await killed.waitForExit()

                let finished = try await sandbox.run(arguments: importArguments(tally.port))
                #expect(finished.exit == .code(0), "\(finished.errors)")
                try await expectWholeLog(tally, in: sandbox)
            }
        }

        @Test("an import outlives a crash of the server")
        func killedServer() async throws {
            try requireData()
            try await withSandbox { sandbox in
                let first = try await sandbox.serve()
                let importing = try sandbox.start(importArguments(first.port))
                try await eventually("something is imported", every: .zero) { try await totals(first).total > 0 }
                try await first.kill()

                let second = try await sandbox.serve("--listen", "127.0.0.1:\(first.port)")
                #expect(try await importing.waitForExit(within: .seconds(60)) == .code(0))
                try await expectWholeLog(second, in: sandbox)
            }
        }

        private func requireData() throws {
            guard FileManager.default.isReadableFile(atPath: Self.log) else {
                try Test.cancel("the log isn't here: \(Self.log)")
            }
        }

        private func importArguments(_ port: Int) -> [String] {
            ["import", Self.log, "--register", "--match", #""\S+ (\S+)"#, "--server", "http://127.0.0.1:\(port)"]
        }

        private func totals(_ tally: TallyProcess) async throws -> Totals {
            try await tally.client.get("/v1/totals").json(Totals.self)
        }

        private func expectWholeLog(_ tally: TallyProcess, in sandbox: Sandbox) async throws {
            #expect(try await totals(tally) == Self.wholeLog)
            let exported = try await sandbox.run(
                "export", "--format", "tsv", "--columns", "minute,name=path,count",
                "--server", "http://127.0.0.1:\(tally.port)")
            #expect(exported.exit == .code(0), "\(exported.errors)")
            let expected = try String(contentsOf: Self.expected, encoding: .utf8)
            let difference = zip(exported.output.split(separator: "\n"), expected.split(separator: "\n")).first {
                $0 != $1
            }
            #expect(exported.output == expected, "the first difference: \(String(describing: difference))")
        }
    }
}
