// SPDX-License-Identifier: Apache-2.0

import Testing

extension EndToEndTests {
    @Suite("A machine whose clock jumps ahead", .timeLimit(.minutes(3)))
    struct ClockTests {
        private func serve(_ sandbox: Sandbox, _ clock: MovableClock, _ options: String...) async throws -> TallyProcess
        {
            let arguments = ["serve", "--data", sandbox.data, "--listen", "127.0.0.1:0"] + options
            return try await TallyProcess(sandbox.start(arguments, environment: clock.environment))
        }

        @Test("by thirty years for a moment counts nothing meanwhile, and everything afterwards")
        func moment() async throws {
            try await withSandbox { sandbox in
                let clock = try await MovableClock(in: sandbox)
                let tally = try await serve(sandbox, clock)
                try await tally.waitUntilReady()
                try await tally.client.click(7, times: 3)
                try clock.set(ahead: 30 * 365)
                let refused = try await tally.client.count(7)
                #expect(refused.status == 503 && refused.text.contains("--max-clock-ahead"), "\(refused.text)")
                let batch = try await tally.client.post("/v1/events", #"{"banner":7}"#)
                #expect(batch.status == 503)
                let ready = try await tally.client.get("/readyz?role=ingest")
                #expect(ready.status == 503 && ready.text.contains("--max-clock-ahead"), "\(ready.text)")
                #expect(try await tally.client.metric("tally_clock_ahead_seconds") ?? 0 > 900_000_000)
                // As long as it takes to be logged.
                try await eventually("it is logged") { tally.errors.contains("the server's clock says") }
                try clock.set(ahead: 0)
                try await tally.client.click(7, times: 2)
                #expect(try await tally.client.get("/readyz").status == 200)
                #expect(try await tally.client.total(of: 7) == 5)
                try await tally.kill()

                let again = try await serve(sandbox, clock)
                try await again.waitUntilReady()
                try await again.client.click(7)
                #expect(try await again.client.total(of: 7) == 6)
                #expect(try await again.terminate() == .code(0))
            }
        }

        @Test("and was off for a month goes on; for longer than --max-clock-ahead, only with a larger one")
        func start() async throws {
            try await withSandbox { sandbox in
                let clock = try await MovableClock(in: sandbox)
                let first = try await serve(sandbox, clock)
                try await first.client.click(7)
                try await first.kill()

                try clock.set(ahead: 30)
                let month = try await serve(sandbox, clock)
                try await month.client.click(7)
                try await month.kill()

                try clock.set(ahead: 30 + 401)
                let year = try await serve(sandbox, clock)
                #expect(try await year.client.count(7).status == 503)
                #expect(try await year.terminate() == .code(0))

                let confirmed = try await serve(sandbox, clock, "--max-clock-ahead", "500d")
                try await confirmed.client.click(7)
                #expect(try await confirmed.client.get("/v1/totals").text.hasPrefix(#"{"total":3,"#))
                #expect(try await confirmed.terminate() == .code(0))
            }
        }
    }
}
