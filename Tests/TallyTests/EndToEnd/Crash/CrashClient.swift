// SPDX-License-Identifier: Apache-2.0

import TallySimulator

/// Sends events without a pause, one request after the other.
struct CrashClient: Sendable {
    let name: String
    /// Those with ids send an unanswered request again until it is answered; the others never do.
    let hasIDs: Bool
    let banners: ClosedRange<Int>
    let gate: CrashGate
    let auditor: CrashAuditor
    var random: SeededGenerator

    private struct Request {
        let events: [CrashAuditor.Event]
        /// One event by `GET /counter`, otherwise all of them by `POST /v1/events`.
        let isSingle: Bool
    }

    func run() async {
        var random = random
        var sent = 0
        var unanswered: Request?
        var lastAnswered: Request?
        while let server = await gate.current() {
            if server.isLast, unanswered == nil { return }
            let isRepetition = hasIDs && Int.random(in: 0..<10, using: &random) == 0
            let request = unanswered ?? (isRepetition ? lastAnswered : nil) ?? newRequest(&sent, &random)
            unanswered = request
            auditor.willSend(request.events)
            do {
                try await send(request, to: server.client)
                auditor.wasAcknowledged(request.events)
                lastAnswered = request
                unanswered = nil
            } catch {
                if await !gate.hasFailed(server) {
                    auditor.complain("\(name): failed though nobody killed the server: \(error)")
                    return await gate.finish()
                }
                if !hasIDs { unanswered = nil }
            }
        }
    }

    private func newRequest(_ sent: inout Int, _ random: inout SeededGenerator) -> Request {
        let isSingle = Bool.random(using: &random)
        var events: [CrashAuditor.Event] = []
        for _ in 0..<(isSingle ? 1 : Int.random(in: 1...20, using: &random)) {
            sent += 1
            let count = isSingle ? 1 : Int.random(in: 1...3, using: &random)
            let banner = Int.random(in: banners, using: &random)
            events.append(.init(banner: banner, id: hasIDs ? "\(name)-\(sent)" : nil, count: count))
        }
        if hasIDs, !isSingle, Bool.random(using: &random) { events.append(events[0]) }
        return Request(events: events, isSingle: isSingle)
    }

    private func send(_ request: Request, to client: EndToEndClient) async throws {
        if request.isSingle {
            let answer = try await client.count(request.events[0].banner, id: request.events[0].id)
            guard answer.status == 204 else { throw HarnessError("\(answer.status) \(answer.text)") }
            return
        }
        let answer = try await client.post(events: request.events.map(line))
        guard answer.status == 200 else { throw HarnessError("\(answer.status) \(answer.text)") }
        let accepted = try answer.json(EndToEndClient.Accepted.self)
        guard accepted.accepted == request.events.count, accepted.rejected.isEmpty else {
            throw HarnessError("of \(request.events.count) events, accepted: \(answer.text)")
        }
    }

    private func line(_ event: CrashAuditor.Event) -> String {
        let id = event.id.map { #","id":"\#($0)""# } ?? ""
        return #"{"banner":\#(event.banner),"n":\#(event.count)\#(id)}"#
    }
}

/// Asks for counts while they are counted: what was acknowledged before the question must be in the answer.
struct CrashReader: Sendable {
    let gate: CrashGate
    let auditor: CrashAuditor
    var random: SeededGenerator

    func run() async {
        var random = random
        while let server = await gate.current() {
            if server.isLast { return }
            guard let banner = auditor.banners.randomElement(using: &random) else {
                await Task.yield()
                continue
            }
            let lower = auditor.allowed(banner).lowerBound
            do {
                let counted = try await server.client.total(of: banner)
                let upper = auditor.allowed(banner).upperBound
                if counted < lower || counted > upper {
                    auditor.complain("banner \(banner) is \(counted) while it must lie in \(lower)...\(upper)")
                }
            } catch {
                if await !gate.hasFailed(server) {
                    auditor.complain("the reader failed though nobody killed the server: \(error)")
                    return await gate.finish()
                }
            }
        }
    }
}
