// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What goes between the servers and the store.
extension World {
    /// How long a server waits for the store, in milliseconds.
    private static let patience: Int64 = 10_000

    // MARK: Keeping the store up to date

    func planFlush(_ process: Process) {
        let untilBoundary = swarm.flushEvery - now % swarm.flushEvery
        plan(.flushIsDue(process.id), in: untilBoundary)
    }

    func flush(_ id: ProcessID) {
        guard let process = process(id), let server = process.server else { return }
        auditor.checkMemory(server.aggregator, process.account, store)
        server.keeping.requestFlush()
        keepStore(process)
        planFlush(process)
    }

    /// Does what the keeping of the store says next, unless it waits for an answer.
    func keepStore(_ process: Process) {
        guard let server = process.server, process.openCall == nil else { return }
        while let action = server.keeping.next(for: &server.aggregator) {
            switch action {
            case .load(let keys): return call(.rows(keys), process)
            case .merge(let rows):
                auditor.merging(rows, of: process.account)
                return call(.merge(rows), process)
            case .save(let checkpoint): return call(.save(checkpoint), process)
            case .trim(let offset):
                trim(before: offset, process)
                if machine(of: process.id).process == nil { return }
                server.keeping.didTrim()
                counters.flushes += 1
            }
        }
    }

    private func trim(before offset: LogOffset, _ process: Process) {
        let machine = machine(of: process.id)
        if fails(swarm.powerLossInAppend) { machine.disk.callsUntilPowerLoss = Int(number(0...4)) }
        do throws(LogError) {
            try process.journal.trim(before: offset)
        } catch {
            planRestart(machine, in: number(1_000...20_000))
        }
        history.note("trim", process.journal.firstOffset.value)
        auditor.trimmed(process.journal, in: process.account, store)
        if !machine.disk.hasPower { losePower(machine) }
    }

    // MARK: Queries

    func query(_ index: Int) {
        guard let process = machines[index].process, let server = process.server else { return }
        let range =
            random.chance(50) ? RowRange.everything : RowRange(banners: [anyBanner()], minutes: .first ... .last)
        let watermark = EventWindow.watermark(logTime: server.aggregator.time, late: swarm.late)
        let bounds = auditor.boundsBefore(process.account, watermark: watermark, store)
        let id = newID()
        process.queries[id] = Process.Query(
            range: range, unflushed: server.aggregator.unflushed(in: range), bounds: bounds)
        call(.range(range), process, id: id)
    }

    private func anyBanner() -> BannerID {
        let number = number(1...swarm.banners) + (random.chance(30) ? Auditor.backfilledBanners : 0)
        return BannerID(number)!
    }

    // MARK: Calls

    func call(_ request: StoreCall.Request, _ process: Process) {
        let id = newID()
        process.openCall = id
        call(request, process, id: id)
    }

    private func call(_ request: StoreCall.Request, _ process: Process, id: Int) {
        let call = StoreCall(
            id: id, process: process.id, account: process.account, log: process.journal.id, request: request)
        if !machine(of: process.id).isStoreUnreachable { send(.storeReceives(call)) }
        plan(.storeTimesOut(call), in: World.patience)
    }

    /// The store gets a call, and does with it what a database under stress does.
    func receive(_ call: StoreCall) {
        if store.isAway || fails(swarm.refusedCalls) { return answer(.failed, to: call) }
        if !call.isLate, fails(swarm.lateCalls) {
            // The server has given up when this is done, and perhaps written again.
            var late = call
            late.isLate = true
            return plan(.storeReceives(late), in: number(World.patience...200_000))
        }
        let isPartial = fails(swarm.partialWrites)
        apply(call, isPartial: isPartial)
        if isPartial { return answer(.failed, to: call) }
        if fails(swarm.lostAnswers) { return }
        answer(store.answer(to: call.request, of: call.log), to: call)
    }

    private func apply(_ call: StoreCall, isPartial: Bool) {
        switch call.request {
        case .merge(let rows):
            let kept = isPartial ? rows.filter { _ in random.chance(50) } : rows
            store.counts.merge(kept, of: call.log)
            history.note("merge", Int64(call.account), Int64(kept.count))
        case .save(let checkpoint):
            if isPartial { return }
            store.counts.save(checkpoint, of: call.log)
            history.note("save", Int64(call.account), checkpoint.upTo.value, checkpoint.readFrom.value)
            auditor.saved(checkpoint, of: call.account, store)
        case .checkpoint, .rows, .range: return
        }
    }

    private func answer(_ reply: StoreReply, to call: StoreCall) {
        if machine(of: call.process).isStoreUnreachable { return }
        send(.storeAnswers(call, reply))
    }

    func receive(_ reply: StoreReply, to call: StoreCall) {
        guard let process = process(call.process) else { return }
        if let query = process.queries.removeValue(forKey: call.id) { return finish(query, reply, process) }
        guard process.openCall == call.id else { return }
        process.openCall = nil
        history.note("store", Int64(call.process.machine), Int64(call.id))
        if process.server == nil { start(process, with: reply) } else { keep(process, with: reply) }
    }

    private func start(_ process: Process, with reply: StoreReply) {
        switch reply {
        case .checkpoint(let checkpoint): process.replay?.didRead(checkpoint: checkpoint)
        case .rows(let rows): process.replay?.didLoad(rows)
        case .failed:
            // A server that can't start ends, and is started again.
            stop(machine(of: process.id))
            return planRestart(machine(of: process.id), in: number(500...5_000))
        case .range, .done: preconditionFailure("the store answers what it was asked")
        }
        goOn(process)
    }

    private func keep(_ process: Process, with reply: StoreReply) {
        guard let server = process.server else { return }
        switch reply {
        case .rows(let rows): server.keeping.didLoad(rows, into: &server.aggregator)
        case .done: server.keeping.didWrite(for: &server.aggregator)
        case .failed:
            server.keeping.didFail(for: &server.aggregator)
            // The delay is drawn as the server draws it.
            return plan(.flushIsDue(process.id), in: number(250...30_000))
        case .checkpoint, .range: preconditionFailure("the store answers what it was asked")
        }
        keepStore(process)
    }

    private func finish(_ query: Process.Query, _ reply: StoreReply, _ process: Process) {
        guard case .range(let stored) = reply else { return }
        let counts = MinuteCount.merge(
            stored: stored, unflushed: query.unflushed, of: process.journal.id, in: query.range, layout: swarm.layout)
        counters.queries += 1
        history.note("query", Int64(counts.count), counts.reduce(0) { $0 + $1.count })
        auditor.answered(counts, in: query.range, query.bounds)
    }
}
