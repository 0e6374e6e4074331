// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore
@testable import TallyServer

@Suite("A process counts the partitions that are its own", .timeLimit(.minutes(5)))
struct ConsumerTests {
    private let store = MemoryStore(layout: .minute)

    private func stored() async throws -> [Int64: Int64] {
        try await store.totals(in: .everything, with: []).reduce(into: [:]) { $0[$1.banner.value] = $1.count }
    }

    private func query(_ logs: any PartitionedLog, _ sources: any UnflushedSource...) -> Query {
        Query(logs: logs.ids, sources: sources, store: store, late: 60)
    }

    @Test("what is in the log is counted, what comes is counted, and a stop stores it and says so to the group")
    func counting() async throws {
        let logs = LogsInMemory(3)
        for banner in Int64(1)...9 { try await logs.append(banner, sequence: UInt64(banner)) }
        let fixture = ConsumerFixture(logs, store: store)
        try await fixture.run { fixture in
            fixture.group.assign([0, 1, 2])
            try await fixture.waitUntilCounted([0, 1, 2])
            for banner in Int64(1)...9 { try await logs.append(banner, count: 10, sequence: UInt64(banner + 20)) }
            try await fixture.waitUntilCounted([0, 1, 2])
            let answer = try await query(logs, fixture.consumer).totals(in: .everything)
            #expect(answer.value.map(\.count) == Array(repeating: 11, count: 9))
            #expect(answer.freshness.behind.isEmpty)
            // What was read at the start was counted by others before.
            #expect(fixture.consumer.statistics.counted == 90)
            #expect(try await store.logs().isEmpty)
        }
        #expect(try await stored() == Dictionary(uniqueKeysWithValues: (1...9).map { ($0, 11) }))
        for partition in 0..<3 {
            let end = try await logs.log(of: partition).end()
            #expect(fixture.group.committed[partition] == end)
        }
        #expect(fixture.banners.count == 9)
    }

    @Test("a partition that is taken away is dropped unflushed, and its successor counts the same chunks")
    func handover() async throws {
        let logs = LogsInMemory(2)
        for banner in Int64(1)...8 { try await logs.append(banner, sequence: UInt64(banner)) }
        let first = ConsumerFixture(logs, store: store)
        let second = ConsumerFixture(logs.forAnotherProcess(), store: store)
        try await first.run { first in
            try await second.run { second in
                first.group.assign([0, 1])
                try await first.waitUntilCounted([0, 1])
                first.group.assign([0])
                try await first.waitUntilCounted([0])
                #expect(try await store.logs().isEmpty)
                second.group.assign([1])
                try await second.waitUntilCounted([1])
                let answer = try await query(logs, first.consumer, second.consumer).totals(in: .everything)
                #expect(answer.value.map(\.count) == Array(repeating: 1, count: 8))
                #expect(answer.freshness.behind.isEmpty)
                let half = try await query(logs, first.consumer).totals(in: .everything)
                #expect(half.freshness.behind.map(\.partition) == [1])
                #expect(half.freshness.watermark == .first)
            }
        }
        #expect(try await stored() == Dictionary(uniqueKeysWithValues: (1...8).map { ($0, 1) }))
    }

    @Test("two that count one partition do no harm: the further one is asked, and the store has each chunk once")
    func zombie() async throws {
        let logs = LogsInMemory(1)
        try await logs.append(1, sequence: 1)
        let zombie = ConsumerFixture(logs.forAnotherProcess(), store: store)
        let owner = ConsumerFixture(logs, store: store)
        try await zombie.run { zombie in
            zombie.group.assign([0])
            try await zombie.waitUntilCounted([0])
            zombie.logs.fail(0, .unavailable("cut off"))
            try await zombie.waitForProblem(0, "cut off")
            try await owner.run { owner in
                owner.group.assign([0])
                try await logs.append(1, count: 5, sequence: 2)
                try await owner.waitUntilCounted([0])
                let answer = try await query(logs, zombie.consumer, owner.consumer).totals(in: .everything)
                #expect(answer.value.map(\.count) == [6])
                #expect(answer.freshness.behind.isEmpty)
                let old = try await query(logs, zombie.consumer).totals(in: .everything)
                #expect(old.value.map(\.count) == [1])
                #expect(old.freshness.behind == [Freshness.Behind(partition: 0, reason: "cut off")])
            }
            // The zombie flushes last, with less.
        }
        #expect(try await stored() == [1: 6])
        #expect(try await store.checkpoint(of: logs.ids[0])?.upTo == LogOffset(2))
    }

    @Test("a store that is away at the start is asked again, and the partition says so meanwhile")
    func storeAway() async throws {
        let logs = LogsInMemory(1)
        try await logs.append(1, sequence: 1)
        let fixture = ConsumerFixture(logs, store: store)
        try await fixture.run { fixture in
            store.outage = .unavailable("the store is away")
            fixture.group.assign([0])
            try await fixture.waitForProblem(0, "the store is away")
            #expect(fixture.consumer.problems == ["partition 0: the store is away"])
            store.outage = nil
            try await fixture.waitUntilCounted([0])
            #expect(fixture.consumer.problems.isEmpty)
        }
        #expect(try await stored() == [1: 1])
    }

    @Test("a partition whose log is damaged stores what stands before, stops with the reason, and the others go on")
    func damage() async throws {
        let logs = LogsInMemory(2)
        for banner in Int64(1)...8 { try await logs.append(banner, sequence: UInt64(banner)) }
        let fixture = ConsumerFixture(logs, store: store)
        try await fixture.run { fixture in
            fixture.group.assign([0, 1])
            try await fixture.waitUntilCounted([0, 1])
            logs.fail(1, .damaged("offset 5 can't be read"))
            try await fixture.waitForProblem(1, "offset 5 can't be read")
            try await eventually("what stands before is stored") { try await store.logs() == [logs.ids[1]] }
            for banner in Int64(1)...8 { try await logs.append(banner, sequence: UInt64(banner) + 10) }
            try await fixture.waitUntilCounted([0])
            let answer = try await query(logs, fixture.consumer).totals(in: .everything)
            #expect(answer.freshness.behind.map(\.partition) == [1])
            let expected = (Int64(1)...8).map { banner in
                logs.partitioning.partition(of: BannerID(banner)!) == 0 ? Int64(2) : 1
            }
            #expect(answer.value.map(\.count) == expected)
        }
    }

    @Test("one that was cut off while the log dropped what the store has begins again at the checkpoint")
    func outrun() async throws {
        let logs = LogsInMemory(1)
        try await logs.append(1, sequence: 1)
        let late = ConsumerFixture(logs.forAnotherProcess(), store: store)
        try await late.run { late in
            late.group.assign([0])
            try await late.waitUntilCounted([0])
            late.logs.fail(0, .unavailable("cut off"))
            try await late.waitForProblem(0, "cut off")
            try await ConsumerFixture(logs, store: store).run { owner in
                owner.group.assign([0])
                try await logs.append(1, sequence: 2)
                try await owner.waitUntilCounted([0])
                await owner.consumer.flush()
                // The store has it, so that the log need not keep it.
                try await logs.log(of: 0).trim(before: LogOffset(3))
            }
            try await logs.append(1, sequence: 3)
            late.logs.fail(0, nil)
            try await late.waitUntilCounted([0])
            #expect(try await query(logs, late.consumer).totals(in: .everything).value.map(\.count) == [3])
        }
        #expect(try await stored() == [1: 3])
    }

    @Test("a log that has dropped what the store lacks stops the partition, and nothing is skipped")
    func trimmedTooFar() async throws {
        let logs = LogsInMemory(1)
        for sequence in UInt64(1)...3 { try await logs.append(1, sequence: sequence) }
        try await logs.log(of: 0).trim(before: LogOffset(3))
        try await ConsumerFixture(logs, store: store).run { fixture in
            fixture.group.assign([0])
            try await fixture.waitForProblem(0, "begins at offset 3")
        }
        #expect(try await stored().isEmpty)
    }

    @Test("a log whose retention has dropped what is counted is counted on")
    func retention() async throws {
        let logs = LogsInMemory(1)
        for sequence in UInt64(1)...3 { try await logs.append(1, sequence: sequence) }
        var checkpoint = Checkpoint.start
        (checkpoint.upTo, checkpoint.readFrom) = (LogOffset(3), LogOffset(2))
        checkpoint.sequences = [NodeID(process: SampleChunks.node, partition: 0): SequenceRanges([1...3])!]
        try await store.save(checkpoint, of: logs.ids[0])
        try await logs.log(of: 0).trim(before: LogOffset(4))
        try await ConsumerFixture(logs, store: store).run { fixture in
            fixture.group.assign([0])
            try await fixture.waitUntilCounted([0])
            #expect(fixture.consumer.problems.isEmpty)
            try await logs.append(1, sequence: 4)
            try await fixture.waitUntilCounted([0])
        }
        #expect(try await stored() == [1: 1])
    }

    @Test("a banner that another server has registered keeps its name when it is counted here for the first time")
    func registeredElsewhere() async throws {
        let logs = LogsInMemory(1)
        let banners = MemoryBannerStore()
        try await ConsumerFixture(logs, store: store, bannerStore: banners).run { fixture in
            fixture.group.assign([0])
            try await fixture.waitUntilCounted([0])
            try await banners.save([Banner(id: BannerID(7)!, name: "theirs", isRegistered: true)])
            try await logs.append(7, sequence: 1)
            try await logs.append(8, sequence: 2)
            try await fixture.waitUntilCounted([0])
        }
        let saved = try await banners.banners().sorted { $0.id < $1.id }
        #expect(saved.map(\.name) == ["theirs", nil])
        #expect(saved.map(\.isRegistered) == [true, false])
    }

    @Test("chunks of an importer are told from any partition")
    func importedChunks() async throws {
        let logs = LogsInMemory(4)
        for banner in Int64(1)...9 {
            try await logs.append(banner, sequence: UInt64(banner), process: SampleChunks.other)
        }
        try await ConsumerFixture(logs, store: store).run { fixture in
            fixture.group.assign([0, 1, 2, 3])
            try await fixture.waitUntilCounted([0, 1, 2, 3])
            #expect(fixture.consumer.sequences(of: SampleChunks.other) == SequenceRanges([1...9])!)
        }
    }
}
