// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore
@testable import TallyServer

@Suite("Whoever counts, however often it changes, the rows are those of one reader", .timeLimit(.minutes(5)))
struct ConsumerPropertyTests {
    @Test("any order of assignments, zombies, crashes, flushes and outages", arguments: Layout.allCases)
    func anyOrder(layout: Layout) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("ConsumerPropertyTests: seed \(seed), layout \(layout)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<12 {
            let drill = ConsumerDrill(layout: layout, seed: random.next(), place: "seed \(seed)")
            try await drill.run()
        }
    }
}

/// Some processes that count the same logs into the same store, and an owner of the test who troubles them.
private final class ConsumerDrill {
    private struct Running {
        let fixture: ConsumerFixture<LogsInMemory>
        let task: Task<Void, Never>
    }

    private let logs = LogsInMemory(2)
    private let store: MemoryStore
    private let place: Comment
    private var random: SeededGenerator
    private var entries: [ArraySlice<LogEntry>]
    private var references = [ReferenceCount(window: .seconds(3_600), limit: 5_000_000)]
    private var processes: [Running] = []

    init(layout: Layout, seed: UInt64, place: Comment) {
        self.place = place
        store = MemoryStore(layout: layout)
        random = SeededGenerator(seed: seed)
        entries = []
        for _ in 0..<2 { entries.append(RandomLog(chunks: 60, using: &random).entries[...]) }
        references = [references[0], references[0]]
    }

    func run() async throws {
        for _ in 0..<3 { start() }
        while entries.contains(where: { !$0.isEmpty }) { try await step() }
        try await rest()
        for partition in 0..<2 {
            let rows = try await store.rows(in: .everything).filter { $0.log == logs.ids[partition] }
            let counts = MinuteCount.merge(stored: rows, unflushed: [:], in: .everything, layout: store.layout)
            #expect(counts == references[partition].minuteCounts, place)
        }
        // The two random logs have the same banners.
        let sightings = references[0].sightings.merging(references[1].sightings, uniquingKeysWith: max)
        #expect(try await store.sightings(of: nil, in: Day.first...Day.last).byPlace == sightings, place)
    }

    private func start() {
        let fixture = ConsumerFixture(logs.forAnotherProcess(), store: store)
        processes.append(Running(fixture: fixture, task: Task { await fixture.consumer.run() }))
    }

    private func step() async throws {
        let process = processes.randomElement(using: &random)!.fixture
        switch Int.random(in: 0..<12, using: &random) {
        case 0...4: try await append()
        case 5, 6: process.group.assign(Set((0..<2).filter { _ in random.chance(60) }))
        case 7: await process.consumer.flush()
        case 8: store.outage = random.chance(30) ? .unavailable("away") : nil
        case 9:
            process.logs.fail(Int.random(in: 0..<2, using: &random), random.chance(40) ? .unavailable("cut off") : nil)
        case 10: await crash()
        // So that all of them get far now and then.
        default: if let view = process.consumer.views(in: .everything).first { try await waitFor(view, process) }
        }
    }

    private func append() async throws {
        let partition = Int.random(in: 0..<2, using: &random)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard let entry = entries[partition].popFirst() else { return }
            references[partition].count(entry.chunk)
            _ = try await logs.log(of: partition).append([entry.chunk])
        }
    }

    /// A moment at most: it may be cut off, or have lost the partition.
    private func waitFor(_ view: LogView, _ process: ConsumerFixture<LogsInMemory>) async throws {
        for _ in 0..<20 where process.consumer.views(in: .everything).contains(view) {
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private func crash() async {
        let index = Int.random(in: processes.indices, using: &random)
        let crashed = processes.remove(at: index)
        crashed.task.cancel()
        // A killed process is gone at once, and one that hangs is a zombie for a while.
        if random.chance(70) { await crashed.task.value }
        start()
    }

    /// All goes well from now on, and one of them counts everything.
    private func rest() async throws {
        store.outage = nil
        let (last, others) = (processes[0], processes.dropFirst())
        for process in others {
            process.task.cancel()
            await process.task.value
        }
        for partition in 0..<2 { last.fixture.logs.fail(partition, nil) }
        last.fixture.group.assign([0, 1])
        // It may not have heard of all earlier assignments yet, and drops a partition once more before it has this one.
        try await eventually("everything is in the store") {
            await last.fixture.consumer.flush()
            for partition in 0..<2 {
                let log = logs.log(of: partition)
                if try await store.checkpoint(of: log.id)?.upTo != log.end() { return false }
            }
            return true
        }
        last.task.cancel()
        await last.task.value
    }
}
