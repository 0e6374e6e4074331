// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import Foundation
import Testing

extension EndToEndTests {
    @Suite("While PostgreSQL is away counting goes on", .needsPostgreSQL, .timeLimit(.minutes(5)))
    struct PostgreSQLOutageTests {
        @Test(
            "it is killed, paused and brought back under load, and every count is exact", arguments: ["minute", "hour"])
        func underLoad(layout: String) async throws {
            try await withSandbox { sandbox in
                let server = try PostgreSQLServer(in: sandbox)
                try await server.start()
                let tally = try await sandbox.serve("--store", server.url, "--layout", layout, "--flush-every", "1s")
                let load = ClickLoad(client: tally.client)
                try await load.run {
                    for round in 0..<6 {
                        try await load.waitForMore(than: 200)
                        if round % 3 == 2 {
                            server.pause()
                            try await load.waitForMore(than: 500)
                            server.resume()
                        } else {
                            try await server.kill()
                            try await load.waitForMore(than: 500)
                            try await server.start()
                        }
                    }
                }
                try await eventually("everything is stored") { try await server.storedTotal() == load.acknowledged }
                for banner in ClickLoad.banners {
                    #expect(try await tally.client.total(of: banner) == load.acknowledged(of: banner))
                }
                #expect(try await tally.terminate() == .code(0))
                #expect(!tally.errors.contains("tally-test-secret"))
            }
        }

        @Test("what needs the store says that it is away, and everything tells by its name")
        func whatTells() async throws {
            try await withSandbox { sandbox in
                let server = try PostgreSQLServer(in: sandbox)
                try await server.start()
                let tally = try await sandbox.serve("--store", server.url, "--flush-every", "1s")
                try await tally.client.click(7)
                try await eventually("it is stored") { try await server.storedTotal() == 1 }
                #expect(try await tally.client.get("/readyz").text == "ready\n")
                try await server.kill()
                try await tally.client.click(7)

                try await eventually("/readyz tells") {
                    let answer = try await tally.client.get("/readyz")
                    return answer.status == 200
                        && answer.text.contains("counting goes on, but the store \(server.name)")
                }
                #expect(try await tally.client.metric("tally_store_ready") == 0)
                let old = try await tally.client.post(
                    "/stats/7", #"{"from":"2020-01-01T00:00:00","to":"2020-01-02T00:00:00"}"#)
                #expect(old.status == 503 && old.text.contains(server.name), "\(old.text)")
                #expect(old.header("Retry-After") != nil)
                let registered = try await tally.client.put("/v1/banners/7", #"{"name":"seven"}"#)
                #expect(registered.status == 503 && registered.text.contains(server.name), "\(registered.text)")

                try await server.start()
                try await eventually("it is stored") { try await server.storedTotal() == 2 }
                try await eventually("/readyz tells") { try await tally.client.get("/readyz").text == "ready\n" }
                #expect(try await tally.client.metric("tally_store_ready") == 1)
                #expect(!tally.errors.contains("tally-test-secret"))
            }
        }

        @Test("it is away at the start: counting begins without it, also after a kill", arguments: ["minute", "hour"])
        func awayAtTheStart(layout: String) async throws {
            try await withSandbox { sandbox in
                let server = try PostgreSQLServer(in: sandbox)
                let options = ["--store", server.url, "--layout", layout, "--flush-every", "1s"]
                // Never reached before: the tables don't exist either.
                var tally = try await sandbox.serve(options: options)
                try await tally.client.click(7, times: 3)
                #expect(try await tally.client.get("/readyz").text.contains(server.name))
                try await tally.kill()
                tally = try await sandbox.serve(options: options)
                try await tally.client.click(7, times: 2)
                try await server.start()
                try await eventually("it is stored") { try await server.storedTotal() == 5 }
                let named = try await tally.client.put("/v1/banners/7", #"{"name":"seven"}"#)
                #expect((200...201).contains(named.status), "\(named.text)")
                #expect(try await tally.client.count(7, id: "once").status == 204)
                try await eventually("it is stored") { try await server.storedTotal() == 6 }

                // Now with a checkpoint that the store has, and names that must not be lost.
                try await tally.kill()
                try await server.kill()
                tally = try await sandbox.serve(options: options)
                try await tally.client.click(7, times: 2)
                #expect(try await tally.client.count(7, id: "once").status == 204, "it is known from the journal")
                try await tally.client.click(8)
                try await tally.kill()
                tally = try await sandbox.serve(options: options)
                try await tally.client.click(8)
                try await server.start()
                try await eventually("it is stored") { try await server.storedTotal() == 10 }
                #expect(try await tally.client.total(of: 7) == 8)
                #expect(try await tally.client.total(of: 8) == 2)
                #expect(try await tally.client.get("/v1/banners/7").text.contains("seven"))
                #expect(try await tally.terminate() == .code(0))
                #expect(try await sandbox.serve(options: options).client.total(of: 7) == 8)
            }
        }

        @Test("only registered banners count: while nobody knows which these are, events are to be sent again")
        func onlyRegistered() async throws {
            try await withSandbox { sandbox in
                let server = try PostgreSQLServer(in: sandbox)
                let options = ["--store", server.url, "--banners", "registered", "--flush-every", "1s"]
                let tally = try await sandbox.serve(options: options)
                for answer in [
                    try await tally.client.count(7), try await tally.client.post(events: [#"{"banner":7}"#]),
                ] {
                    #expect(answer.status == 503 && answer.header("Retry-After") != nil, "\(answer.text)")
                }
                try await server.start()
                try await eventually("the store is met") { try await tally.client.count(7).status == 404 }
            }
        }

        @Test("a store that turns out to be an older one ends the process, and nothing is written to it")
        func replacedStore() async throws {
            try await withSandbox { sandbox in
                let server = try PostgreSQLServer(in: sandbox)
                try await server.start()
                let options = ["--store", server.url, "--flush-every", "1s"]
                var tally = try await sandbox.serve(options: options)
                try await tally.client.click(7, times: 3)
                try await eventually("it is stored") { try await server.storedTotal() == 3 }
                #expect(try await tally.terminate() == .code(0))
                // As if another database stood there now.
                try await server.client.run("TRUNCATE tally_minute_counts, tally_checkpoints")
                try await server.kill()
                tally = try await sandbox.serve(options: options)
                try await tally.client.click(7)
                try await server.start()
                #expect(try await tally.process.waitForExit() == .code(1))
                #expect(tally.errors.contains("it was replaced"), "\(tally.errors)")
                #expect(try await server.storedTotal() == 0)
                // The journal still has everything, so that the next start counts it all anew.
                #expect(try await sandbox.serve(options: options).client.total(of: 7) == 4)
            }
        }
    }
}

extension PostgreSQLServer {
    /// By the view that is there for everyone with an SQL client.
    func storedTotal() async throws -> Int {
        let rows = try await client.texts("SELECT coalesce(sum(count), 0) AS sum FROM tally_minutes")
        return rows.first?.first.flatMap { Int($0) } ?? -1
    }
}

#endif
