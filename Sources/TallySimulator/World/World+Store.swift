// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What goes between the servers and the store.
extension World {
    /// How long a server waits for the store, in milliseconds.
    private static let patience: Int64 = 10_000

    // MARK: Keeping the store up to date

    func planFlush(_ counting: Counting) {
        let untilBoundary = swarm.flushEvery - now % swarm.flushEvery
        plan(.flushIsDue(counting.id, isRetry: false), in: untilBoundary)
    }

    func flush(_ id: CountingID, isRetry: Bool) {
        guard let counting = counting(id), let aggregator = counting.aggregator else { return }
        if !auditor.lacksSomething(id) { auditor.checkMemory(aggregator, counting.account, store) }
        counting.keeping.requestFlush()
        keepStore(counting)
        if !isRetry { planFlush(counting) }
    }

    /// Does what the keeping of the store says next, unless it waits for an answer.
    func keepStore(_ counting: Counting) {
        guard counting.openCall == nil, counting.aggregator != nil else { return }
        while let action = counting.keeping.next(for: &counting.aggregator!) {
            switch action {
            case .load(let keys): return call(.rows(keys), counting)
            case .merge(let rows):
                auditor.writes("a row", counting.id)
                auditor.merging(rows, of: counting.account)
                return call(.merge(rows), counting)
            case .note(let sightings): return call(.note(sightings), counting)
            case .save(let checkpoint):
                auditor.saves(checkpoint, counting.id)
                return call(.save(checkpoint), counting)
            case .readCheckpoint: return call(.checkpoint, counting)
            case .trim(let offset):
                trim(before: offset, counting)
                if self.counting(counting.id) == nil { return }
                counting.keeping.didTrim()
                counters[.flushes] += 1
            }
        }
    }

    private func trim(before offset: LogOffset, _ counting: Counting) {
        if let journal = process(counting.id.process)?.journal { return trim(journal, before: offset, counting) }
        guard let index = partition(of: counting.id) else { return }
        brokers.partitions[index].first = max(brokers.partitions[index].first, offset)
        auditor.trimmed(counting.account, first: brokers.partitions[index].first, store)
    }

    private func trim(_ journal: Journal, before offset: LogOffset, _ counting: Counting) {
        let machine = machine(of: counting.id.process)
        if fails(swarm.powerLossInAppend) { machine.disk.callsUntilPowerLoss = Int(number(0...4)) }
        do throws(LogError) {
            try journal.trim(before: offset)
        } catch {
            planRestart(machine, in: number(1_000...20_000))
        }
        history.note("trim", journal.firstOffset.value)
        auditor.trimmed(counting.account, first: journal.firstOffset, store)
        if !machine.disk.hasPower { losePower(machine) }
    }

    // MARK: Queries

    func query(_ index: Int) {
        guard let process = machines[index].process, let account = process.counting.keys.min(),
            let counting = process.counting[account], let aggregator = counting.aggregator,
            !auditor.lacksSomething(counting.id)
        else { return }
        let range = anyRange(at: machines[index].clock.time(at: now))
        let watermark = EventWindow.watermark(logTime: aggregator.time, late: swarm.late)
        let bounds = auditor.boundsBefore(account, aggregator.position, watermark: watermark, store)
        let id = newID()
        counting.queries[id] = Counting.Query(
            range: range, unflushed: aggregator.unflushed(in: range), bounds: bounds)
        call(.range(range), counting, number: id)
    }

    /// Everything, all of one banner, or a short time of it: rows in memory are looked up differently for each.
    private func anyRange(at clock: Timestamp) -> RowRange {
        if random.chance(50) { return .everything }
        guard random.chance(50) else { return RowRange(banners: [anyBanner()], minutes: .first ... .last) }
        let first = Minute(clock).advanced(by: number(-90...5))
        return RowRange(banners: [anyBanner()], minutes: first...first.advanced(by: number(0...90)))
    }

    private func anyBanner() -> BannerID {
        let number = number(1...swarm.banners) + (random.chance(30) ? Auditor.backfilledBanners : 0)
        return BannerID(number)!
    }

    // MARK: Calls

    func call(_ request: StoreCall.Request, _ counting: Counting) {
        let id = newID()
        counting.openCall = id
        call(request, counting, number: id)
    }

    private func call(_ request: StoreCall.Request, _ counting: Counting, number id: Int) {
        let call = StoreCall(id: id, counting: counting.id, log: counting.log, request: request)
        if !machine(of: counting.id.process).isStoreUnreachable { send(.storeReceives(call)) }
        plan(.storeTimesOut(call), in: World.patience)
    }

    /// The store gets a call, and does with it what a database under stress does.
    func receive(_ call: StoreCall) {
        if store.isAway || fails(swarm.refusedCalls) { return answer(.failed, to: call) }
        if !call.isLate, fails(swarm.lateCalls) {
            // The server has given up when this is done, and perhaps written again.
            counters[.lateCalls] += 1
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
            if isPartial { counters[.unfinishedWrites] += 1 }
            if isZombie(call.counting) { counters[.zombieFlushes] += 1 }
            let kept = isPartial ? rows.filter { _ in random.chance(50) } : rows
            let conflicts = store.counts.merge(kept, of: call.log)
            auditor.merged(conflicts, of: call.counting.account)
            history.note("merge", Int64(call.counting.account), Int64(kept.count))
        case .note(let sightings):
            let kept = isPartial ? sightings.filter { _ in random.chance(50) } : sightings
            store.counts.merge(kept)
            history.note("note", Int64(call.counting.account), Int64(kept.count))
        case .save(let checkpoint):
            if isPartial { return }
            store.counts.save(checkpoint, of: call.log)
            history.note("save", Int64(call.counting.account), checkpoint.upTo.value, checkpoint.readFrom.value)
            auditor.saved(checkpoint, of: call.counting.account, store)
        case .checkpoint, .rows, .range: return
        }
    }

    /// Whether another server counts this partition by now.
    private func isZombie(_ id: CountingID) -> Bool {
        partition(of: id).map { !brokers.partitions[$0].isCounted(by: id.process.machine) } ?? false
    }

    private func answer(_ reply: StoreReply, to call: StoreCall) {
        if machine(of: call.counting.process).isStoreUnreachable { return }
        send(.storeAnswers(call, reply))
    }

    func receive(_ reply: StoreReply, to call: StoreCall) {
        guard let counting = counting(call.counting) else { return }
        if let query = counting.queries.removeValue(forKey: call.id) { return finish(query, reply, counting) }
        guard counting.openCall == call.id else { return }
        counting.openCall = nil
        history.note("store", Int64(call.counting.process.machine), Int64(call.id))
        if counting.aggregator == nil {
            start(counting, with: reply)
        } else {
            keep(counting, with: reply)
        }
    }

    private func start(_ counting: Counting, with reply: StoreReply) {
        switch reply {
        case .checkpoint(let checkpoint):
            auditor.began(counting.id, from: checkpoint)
            counting.replay?.didRead(checkpoint: checkpoint)
        case .rows(let rows): counting.replay?.didLoad(rows)
        case .failed: return failStart(counting)
        case .range, .done: preconditionFailure("the store answers what it was asked")
        }
        goOn(counting)
    }

    private func failStart(_ counting: Counting) {
        let machine = machine(of: counting.id.process)
        if machine.role == .aggregate { return endCounting(counting.id, .failed("the store does not answer")) }
        // A server that can't start ends, and is started again.
        stop(machine)
        planRestart(machine, in: number(500...5_000))
    }

    private func keep(_ counting: Counting, with reply: StoreReply) {
        switch reply {
        case .rows(let rows): counting.keeping.didLoad(rows, into: &counting.aggregator!)
        case .done: counting.keeping.didWrite(for: &counting.aggregator!)
        case .failed:
            counting.keeping.didFail(for: &counting.aggregator!)
            // The delay is drawn as the server draws it.
            return plan(.flushIsDue(counting.id, isRetry: true), in: number(250...30_000))
        case .checkpoint(let checkpoint):
            auditor.told(checkpoint, to: counting.id)
            let upTo = counting.keeping.didRead(checkpoint: checkpoint, for: &counting.aggregator!)
            if let upTo { return overtake(counting, upTo) }
        case .range: preconditionFailure("the store answers what it was asked")
        }
        keepStore(counting)
    }

    /// Chunks are missing, and another server has counted further: counting begins again from the store.
    private func overtake(_ counting: Counting, _ upTo: LogOffset) {
        let machine = machine(of: counting.id.process)
        if machine.role == .aggregate { return endCounting(counting.id, .outrun("the store has all up to \(upTo)")) }
        stop(machine)
        planRestart(machine, in: number(500...5_000))
    }

    private func finish(_ query: Counting.Query, _ reply: StoreReply, _ counting: Counting) {
        guard case .range(let stored) = reply else { return }
        let counts = MinuteCount.merge(
            stored: stored, unflushed: query.unflushed, of: counting.log, in: query.range, layout: swarm.layout)
        counters[.queries] += 1
        history.note("query", Int64(counts.count), counts.reduce(0) { $0 + $1.count })
        auditor.answered(counts, in: query.range, query.bounds)
    }
}
