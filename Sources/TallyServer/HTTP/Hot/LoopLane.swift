// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// The lane of one event loop, with those who wait for its turns. Everything here happens on the loop.
///
/// The first event of a turn reads the clock and asks for the end of the turn, which comes when the loop has read all that
/// was there to read. Then the sums are handed to ingest, and everybody who added to them is answered together. While they
/// are on their way to the disk the lane goes on adding, and hands over what came meanwhile when they are there: so a lone
/// event waits for nothing, and a crowd shares one sync.
final class LoopLane {
    /// What becomes durable together, of one turn of the loop or of several.
    private struct Batch {
        struct Part {
            let connection: HotPathHandler
            let route: HotRoute
            let partition: Int
            var count: Int
            /// The turn in which it came.
            let began: NIODeadline
        }

        /// In the order of their arrival; a connection's requests of one kind, in one partition of the log, are one part.
        var parts: [Part] = []
        var newcomers = Newcomers()
        var sightings: [Sighting] = []
        var turn = 0
        /// nil while it is on its way; its answer waits for those before it, too.
        var outcome: TurnOutcome?
    }

    private let eventLoop: any EventLoop
    private let intake: LaneIntake
    private let answers: HotAnswers
    let judge: TrafficJudge
    private var lane: Lane
    private var batch = Batch()
    private var turnBegan = NIODeadline.distantPast
    private var hasTurnBegun = false
    /// Answers are being written that come before those of whatever is refused meanwhile.
    private var isAnswering = false
    private var withdrawals: UInt64 = 0
    /// So many were handed over.
    private var turns = 0
    /// Handed over and not answered.
    private var waiting = CircularBuffer<Batch>(initialCapacity: 8)

    init(number: Int, on eventLoop: any EventLoop, intake: LaneIntake, answers: HotAnswers, judge: TrafficJudge) {
        self.eventLoop = eventLoop
        self.intake = intake
        self.answers = answers
        self.judge = judge
        lane = Lane(number: number, kinds: HotRoute.kinds, seed: .random(in: 0 ... .max))
    }

    /// Counts one event of now.
    /// - Parameter judge: asked when the event counts.
    /// - Returns: false when it may not be counted: then nothing happened.
    func count(
        _ banner: BannerID, _ route: HotRoute, for connection: HotPathHandler,
        judge: (TrafficJudge, NIODeadline, Day) -> Judgement
    ) -> Bool {
        guard hasTurnBegun || beginTurn() else { return false }
        if intake.admission.withdrawals != withdrawals { forgetWhoWasLetIn() }
        if lane.isFull { handOver() }
        if !lane.add(banner: banner, kind: route.kind()) {
            guard intake.admission.admits(banner, HotRoute.kinds[Int(route.kind())], with: &batch.newcomers) else {
                return false
            }
            letInAndAdd(banner, kind: route.kind())
        }
        if self.judge.looksAtUserAgents { note(judge(self.judge, turnBegan, Day(of: lane.minute)), banner, route) }
        note(route, intake.partition(of: banner), for: connection)
        return true
    }

    private func note(_ judgement: Judgement, _ banner: BannerID, _ route: HotRoute) {
        if let invalid = judgement.invalid {
            let kind = route.kind(invalid)
            if !lane.add(banner: banner, kind: kind) { letInAndAdd(banner, kind: kind) }
        } else if let visitor = judgement.visitor {
            lane.note(visitor, banner: banner)
        }
    }

    private func letInAndAdd(_ banner: BannerID, kind: UInt8) {
        lane.letIn(banner: banner, kind: kind)
        let isAdded = lane.add(banner: banner, kind: kind)
        precondition(isAdded, "a lane counts whom it has let in")
    }

    private func note(_ route: HotRoute, _ partition: Int, for connection: HotPathHandler) {
        let last = batch.parts.count - 1
        if last >= 0, batch.parts[last].connection === connection, batch.parts[last].route == route,
            batch.parts[last].partition == partition, batch.parts[last].began == turnBegan
        {
            batch.parts[last].count += 1
        } else {
            batch.parts.append(
                Batch.Part(
                    connection: connection, route: route, partition: partition, count: 1, began: turnBegan))
        }
    }

    /// - Returns: false when nothing can be counted now.
    private func beginTurn() -> Bool {
        guard let minute = intake.admission.presentMinute() else { return false }
        hasTurnBegun = true
        turnBegan = eventLoop.now
        if minute != lane.minute {
            handOver()
            lane.begin(minute)
        }
        eventLoop.assumeIsolated().execute { [self] in
            hasTurnBegun = false
            if waiting.isEmpty { handOver() }
        }
        return true
    }

    private func forgetWhoWasLetIn() {
        handOver()
        withdrawals = intake.admission.withdrawals
        lane.forget()
    }

    private func handOver() {
        if lane.isEmpty { return }
        let sums = lane.take()
        let newcomers = batch.newcomers
        turns += 1
        batch.turn = turns
        batch.sightings = sums.sightings
        waiting.append(batch)
        let usual = batch.parts.count
        batch = Batch()
        batch.parts.reserveCapacity(usual)
        guard let refusal = intake.ingest.take(sums, newcomers, from: address, turn: turns) else { return }
        waiting[waiting.index(before: waiting.endIndex)].outcome = .whole(.failure(refusal))
        // Newcomers that found no room must ask again.
        lane.forget()
        answerFinished()
    }

    /// Doesn't keep the lane alive, which keeps it.
    private lazy var address: LaneAddress = {
        let place = NIOLoopBound(Place(lane: self), eventLoop: eventLoop)
        let eventLoop = eventLoop
        return LaneAddress(number: lane.number) { turns, outcome in
            eventLoop.execute { place.value.lane?.finished(turns, outcome) }
        }
    }()

    private struct Place {
        weak var lane: LoopLane?
    }

    /// Turns that are in other partitions may have overtaken those before them.
    private func finished(_ numbers: [Int], _ outcome: TurnOutcome) {
        for number in numbers {
            guard let index = waiting.firstIndex(where: { $0.turn == number }) else {
                preconditionFailure("a turn ends once")
            }
            waiting[index].outcome = outcome
        }
        var answered: [(Batch, TurnOutcome)] = []
        while let outcome = waiting.first?.outcome { answered.append((waiting.removeFirst(), outcome)) }
        isAnswering = true
        // First what came meanwhile, so that the disk works while these are answered.
        if waiting.isEmpty { handOver() }
        for (batch, outcome) in answered { answer(batch, outcome) }
        isAnswering = false
        answerFinished()
    }

    /// Those that have nothing to wait for any more.
    private func answerFinished() {
        if isAnswering { return }
        while let outcome = waiting.first?.outcome { answer(waiting.removeFirst(), outcome) }
    }

    private func answer(_ batch: Batch, _ outcome: TurnOutcome) {
        if outcome.isSuccess { lane.didCommit(batch.sightings) }
        answers.begin(outcome, at: eventLoop.now)
        for part in batch.parts {
            let bytes = answers.bytes(part.route, part.partition, count: part.count, began: part.began)
            part.connection.write(bytes, count: part.count)
        }
        let refused = answers.end()
        if refused > 0 { intake.ingest.noteRefused(refused) }
    }
}
