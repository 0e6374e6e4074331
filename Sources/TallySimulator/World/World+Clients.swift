// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension World {
    /// How long a client waits for an answer, in milliseconds.
    private static let patience: Int64 = 5_000

    func act(_ index: Int) {
        if let request = clients[index].request {
            sendAgain(request.body, index)
        } else if hasFaults {
            if random.chance(swarm.queryPercent) {
                plan(.queryIsAsked(machine: Int(number(0...Int64(machines.count - 1)))), in: 1)
                plan(.clientActs(index), in: number(1...swarm.thinkTime))
            } else {
                // Clients have clocks of their own, which are right.
                let body = clients[index].newBody(at: SimulatedClock().time(at: now), swarm, using: &random)
                clients[index].tries = 0
                send(body, index)
            }
        }
    }

    private func sendAgain(_ body: Request.Body, _ index: Int) {
        clients[index].tries += 1
        if clients[index].changesMachine {
            clients[index].machine = swarm.intakes.randomElement(using: &random) ?? 0
        }
        send(body, index)
    }

    private func send(_ body: Request.Body, _ index: Int) {
        let request = Request(id: newID(), client: index, machine: clients[index].machine, body: body)
        clients[index].request = request
        auditor.sent(body)
        send(.requestArrives(request))
        plan(.clientTimesOut(client: index, request: request.id), in: World.patience)
    }

    func receive(_ answer: Answer) {
        let index = answer.client
        guard let request = clients[index].request, request.id == answer.request else { return }
        history.note("answer", Int64(index), Int64(answer.request), answer.result == .counted ? 1 : 0)
        if answer.result == .unavailable { return tryAgainOrGiveUp(index) }
        if answer.result == .counted, case .chunk(let chunk) = request.body,
            !clients[index].imported.contains(where: { $0.sequence == chunk.sequence })
        {
            clients[index].imported.append(chunk)
        }
        clients[index].request = nil
        // A tool that imports has its next chunk ready.
        let thinkTime = clients[index].style == .imports ? 10 : swarm.thinkTime
        plan(.clientActs(index), in: number(1...thinkTime))
    }

    func giveUp(_ index: Int, _ request: Int) {
        guard clients[index].request?.id == request else { return }
        history.note("timeout", Int64(index), Int64(request))
        tryAgainOrGiveUp(index)
    }

    private func tryAgainOrGiveUp(_ index: Int) {
        let client = clients[index]
        let triesAgain = client.insists || (client.repeats && client.tries < 5 && hasFaults)
        if !triesAgain { clients[index].request = nil }
        plan(.clientActs(index), in: triesAgain ? number(100...3_000) : number(1...swarm.thinkTime))
    }
}
