// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Lets clients count, kills the server, starts it again on the same data, and compares; many times.
final class CrashRun {
    private let sandbox: Sandbox
    private let options: [String]
    private let auditor = CrashAuditor()
    private let gate: CrashGate
    private let clients: [CrashClient]
    private let reader: CrashReader
    private var plan: CrashPlan
    /// How the rounds so far ended; the last few are part of an error.
    private var history: [String] = []

    init(sandbox: Sandbox, layout: String, plan: CrashPlan) {
        var plan = plan
        let auditor = auditor
        let gate = CrashGate(clientCount: 9)
        clients = (1...8).map { number in
            let hasIDs = number <= 5
            return CrashClient(
                name: "client-\(number)", hasIDs: hasIDs, banners: hasIDs ? 1...3 : 101...102, gate: gate,
                auditor: auditor, random: plan.fork())
        }
        reader = CrashReader(gate: gate, auditor: auditor, random: plan.fork())
        options = ["--layout", layout, "--flush-every", "1s", "--segment-size", "1MiB"]
        self.sandbox = sandbox
        self.gate = gate
        self.plan = plan
    }

    /// - Returns: how many requests were answered.
    /// - Throws: `HarnessError` with what was counted wrongly.
    func run(rounds: Int) async throws -> Int {
        try await withThrowingTaskGroup { group in
            for client in clients { group.addTask { await client.run() } }
            group.addTask { [reader] in await reader.run() }
            do {
                for _ in 0..<rounds { try await playRound() }
                let tally = try await serveAndAudit()
                await gate.open(tally.client, isLast: true)
                try await group.waitForAll()
                try await auditAfterStop(of: tally)
            } catch {
                await gate.finish()
                throw error
            }
        }
        return auditor.requestsAnswered
    }

    private func playRound() async throws {
        let moment = plan.nextMoment()
        history.append("\(moment)")
        if case .whileStarting(let pause) = moment {
            let process = try sandbox.startServer(options: options)
            try await Task.sleep(for: pause)
            process.signal(SIGKILL)
            guard try await process.waitForExit() == .signal(SIGKILL) else {
                throw failure("the server ended by itself while starting: \(process.report.errorText)")
            }
            return
        }
        let tally = try await serveAndAudit()
        await gate.open(tally.client)
        try await wait(for: moment)
        await gate.announceKill()
        try await tally.kill()
        await gate.waitUntilIdle()
        guard auditor.complaints.isEmpty else { throw failure(auditor.complaints.joined(separator: "\n")) }
    }

    /// The pauses are no waiting for something to happen: the moments of the kills are what is drawn at random.
    private func wait(for moment: CrashPlan.Moment) async throws {
        switch moment {
        case .afterAcknowledgements(let count, let pause):
            await auditor.waitForRequestsAnswered(auditor.requestsAnswered + count)
            try await Task.sleep(for: pause)
        case .aroundFlush(let offset):
            let now = Date.now.timeIntervalSince1970
            let untilFlush = Duration.seconds(now.rounded(.up) - now)
            try await Task.sleep(for: max(.zero, untilFlush + offset))
        case .whileStarting(let pause):
            try await Task.sleep(for: pause)
        }
    }

    private func serveAndAudit() async throws -> TallyProcess {
        let tally = try await sandbox.serve(options: options)
        try await audit(tally.client)
        return tally
    }

    /// After a graceful stop everything is in the store, and all the same.
    private func auditAfterStop(of tally: TallyProcess) async throws {
        guard auditor.complaints.isEmpty else { throw failure(auditor.complaints.joined(separator: "\n")) }
        try await audit(tally.client)
        let exit = try await tally.terminate()
        guard exit == .code(0) else { throw failure("asked to stop, the server ended with \(exit): \(tally.errors)") }
        let last = try await serveAndAudit()
        guard try await last.terminate() == .code(0) else { throw failure("the server did not stop: \(last.errors)") }
    }

    /// Nothing is on its way now. Without unanswered requests the count is known exactly.
    private func audit(_ client: EndToEndClient) async throws {
        for banner in auditor.banners {
            let allowed = auditor.allowed(banner)
            let counted = try await client.total(of: banner)
            guard allowed.contains(counted) else {
                throw failure("banner \(banner) is \(counted) and must lie in \(allowed)")
            }
        }
    }

    private func failure(_ text: String) -> HarnessError {
        HarnessError(
            "round \(history.count), \(auditor.requestsAnswered) requests answered: \(text)\n"
                + "killed: \(history.suffix(3).joined(separator: "; "))")
    }
}
