// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TallyBackends

extension EndToEndTests {
    @Suite("While ClickHouse is away counting goes on", .timeLimit(.minutes(5)))
    struct ClickHouseLoadTests {
        @Test(
            "it is killed, paused and brought back under load, and every count is exact",
            arguments: ClickHouseTestServer.allCases)
        func underLoad(_ kind: ClickHouseTestServer) async throws {
            try await kind.withServer { sandbox, server in
                let layout = kind == .old ? "minute" : "hour"
                let tally = try await sandbox.serve(
                    "--store", server.address, "--layout", layout, "--flush-every", "1s")
                let load = ClickLoad(client: tally.client)
                try await load.run {
                    for round in 0..<6 {
                        try await load.waitForMore(than: 200)
                        if round % 3 == 2 {
                            server.process.signal(SIGSTOP)
                            try await load.waitForMore(than: 500)
                            server.process.signal(SIGCONT)
                        } else {
                            try await server.kill()
                            try await load.waitForMore(than: 500)
                            try await server.start()
                        }
                    }
                }
                let stored = ClickHouseStatement.definition("SELECT sum(count) FROM tally_minutes")
                try await eventually("everything is stored") {
                    let total = try await ClickHouseTestServer.run(stored, on: server.url)
                    return total == "\(load.acknowledged)\n"
                }
                for banner in ClickLoad.banners {
                    #expect(try await tally.client.total(of: banner) == load.acknowledged(of: banner))
                }
                #expect(try await tally.terminate() == .code(0))
                #expect(!tally.errors.contains("tally-test-secret"))
            }
        }
    }
}
