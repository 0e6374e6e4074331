// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyServer

@Suite("Ingest into a log of several partitions")
struct RemoteIngestTests {
    /// A banner of each of four partitions.
    private static let banners: [Int64] = {
        let partitioning = Partitioning(count: 4)!
        return (0..<4).map { partition in
            (1...100).first { partitioning.partition(of: BannerID($0)!) == partition }!
        }
    }()

    @Test("an answer names every partition that the events are in, and they are there")
    func receipts() async throws {
        let fixture = RemoteFixture()
        try await fixture.run { node in
            let receipts = try await node.count([Self.banners[1], Self.banners[3], Self.banners[1]])
            #expect(receipts.map { "\($0.log)@\($0.offset)" }.sorted() == ["memory/1@1", "memory/3@1"])
            #expect(receipts.allSatisfy { $0.durability == .quorum })
            #expect(try await fixture.logs.counts == [Self.banners[1]: 2, Self.banners[3]: 1])
            #expect(node.readiness == .ready)
        }
    }

    @Test("what arrives while a commit is on its way goes into the next one, together")
    func gathers() async throws {
        let fixture = RemoteFixture()
        try await fixture.run { node in
            fixture.logs.setSlow(true)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await node.count([Self.banners[0]]) }
                try await eventually("the first commit is on its way") { fixture.logs.waitingAppends == 1 }
                for number in 0..<50 {
                    group.addTask { _ = try await node.count([Self.banners[0]], id: "\(number)") }
                }
                try await eventually("all others wait") { node.pendingEntries == 50 }
                fixture.logs.setSlow(false)
                try await group.waitForAll()
            }
            #expect(fixture.logs.appends(of: 0) == 2)
            #expect(try await fixture.logs.counts == [Self.banners[0]: 51])
        }
    }

    @Test("a partition that is slow holds up nobody else's events")
    func independent() async throws {
        let fixture = RemoteFixture()
        try await fixture.run { node in
            fixture.logs.setSlow(true)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for banner in Self.banners { group.addTask { _ = try await node.count([banner]) } }
                try await eventually("each partition has its commit") { fixture.logs.waitingAppends == 4 }
                fixture.logs.setSlow(false)
                try await group.waitForAll()
            }
        }
    }

    @Test("while the brokers are away the spool has the events, and they count once when they are back")
    func outage() async throws {
        let fixture = RemoteFixture()
        try await fixture.run { node in
            _ = try await node.count(Self.banners)
            fixture.logs.set(.isAway)
            for _ in 0..<5 {
                let receipts = try await node.count(Self.banners)
                #expect(receipts.allSatisfy { $0.durability == .disk && $0.log.name == "spool" })
            }
            guard case .counting(let problem) = node.readiness else {
                Issue.record("nobody is told: \(node.readiness)")
                return
            }
            #expect(problem.contains("no broker answers"))
            #expect(node.status.delivery?.spooledChunks == 20)
            fixture.logs.set(nil)
            try await eventually("the spool is empty") { node.status.delivery?.spooledChunks == 0 }
            #expect(node.readiness == .ready)
            #expect(node.status.delivery?.spooledBytes == 0)
            let again = try await node.count(Self.banners)
            #expect(again.allSatisfy { $0.durability == .quorum })
            let expected = Dictionary(uniqueKeysWithValues: Self.banners.map { ($0, Int64(7)) })
            #expect(try await fixture.logs.counts == expected)
        }
    }

    @Test("chunks declare what is in the spool, and assert it when the log has it")
    func declarations() async throws {
        let fixture = RemoteFixture(partitions: 1)
        try await fixture.run { node in
            _ = try await node.count([1])
            fixture.logs.set(.isAway)
            for _ in 0..<2 { _ = try await node.count([1]) }
            fixture.logs.set(nil)
            try await eventually("a chunk asserts all before it") {
                _ = try await node.count([1])
                let last = try await fixture.logs.partition(0).entries.last?.chunk
                return last.map { $0.sequence > 3 && $0.unsettled == SequenceRanges() } ?? false
            }
            let chunks = try await fixture.logs.partition(0).entries.map(\.chunk)
            let declared = [1, 2, 3].map { sequence in chunks.first { $0.sequence == sequence }?.unsettled }
            #expect(declared == [SequenceRanges(), SequenceRanges(), SequenceRanges(2...2)])
        }
    }

    @Test("what the brokers have without having said so is spooled, and counts once")
    func lostAnswers() async throws {
        let fixture = RemoteFixture()
        try await fixture.run { node in
            fixture.logs.set(.losesAnswers)
            let receipts = try await node.count([Self.banners[2]])
            #expect(receipts.map(\.durability) == [.disk])
            fixture.logs.set(nil)
            try await eventually("the spool is empty") { node.status.delivery?.spooledChunks == 0 }
            #expect(try await fixture.logs.partition(2).entries.count >= 2, "it was sent again")
            #expect(try await fixture.logs.counts == [Self.banners[2]: 1])
        }
    }

    @Test("what was spooled before a crash is sent by the next process, which is another node")
    func restart() async throws {
        let fixture = RemoteFixture()
        fixture.logs.set(.refuses)
        try await fixture.run(process: 0xA_0000) { node in _ = try await node.count(Self.banners) }
        #expect(try await fixture.logs.counts == [:])
        fixture.logs.set(nil)
        try await fixture.run(process: 0xB_0000) { node in
            _ = try await node.count(Self.banners)
            try await eventually("the spool is empty") { node.status.delivery?.spooledChunks == 0 }
        }
        let expected = Dictionary(uniqueKeysWithValues: Self.banners.map { ($0, Int64(2)) })
        #expect(try await fixture.logs.counts == expected)
    }

    @Test("a stop sends what is in the spool, when the log is back")
    func stop() async throws {
        let fixture = RemoteFixture()
        try await fixture.run { node in
            fixture.logs.set(.isAway)
            _ = try await node.count(Self.banners)
            fixture.logs.set(nil)
        }
        #expect(try await fixture.logs.counts.count == 4)
    }

    @Test("without a spool the events are refused, and it is ready again when the log answers, without another event")
    func noSpool() async throws {
        let fixture = RemoteFixture(spool: nil)
        try await fixture.run { node in
            fixture.logs.set(.refuses)
            await #expect(throws: IngestError.unavailable("no broker is there")) {
                try await node.count([Self.banners[0]])
            }
            guard case .notReady(let reasons) = node.readiness else {
                Issue.record("nobody is told: \(node.readiness)")
                return
            }
            #expect(reasons.first?.contains("--spool off") == true)
            fixture.logs.set(nil)
            try await eventually("it asks by itself") { node.readiness == .ready }
            #expect(node.status.refused == 1)
        }
        #expect(try await fixture.logs.counts == [:])
    }

    @Test("a spool that is full refuses, says so, and takes more when the log has enough of it")
    func fullSpool() async throws {
        var fixture = RemoteFixture()
        fixture.spoolLimit = 1
        try await fixture.run { [fixture] node in
            fixture.logs.set(.isAway)
            let first = try await node.count([Self.banners[0]])
            #expect(first.map(\.durability) == [.disk])
            do {
                _ = try await node.count([Self.banners[0]])
                Issue.record("a full spool took more")
            } catch IngestError.unavailable(let reason) {
                #expect(reason.contains("--spool-limit"))
            }
            guard case .notReady = node.readiness else {
                Issue.record("nobody is told: \(node.readiness)")
                return
            }
            fixture.logs.set(nil)
            try await eventually("the spool is empty") { node.status.delivery?.spooledChunks == 0 }
            _ = try await node.count([Self.banners[1]])
        }
        #expect(try await fixture.logs.counts == [Self.banners[0]: 1, Self.banners[1]: 1])
    }

    @Test("with --ack disk the spool answers, and the log gets it all the same")
    func disk() async throws {
        var fixture = RemoteFixture()
        fixture.acknowledgement = .disk
        try await fixture.run { [fixture] node in
            fixture.logs.setSlow(true)
            let receipts = try await node.count(Self.banners)
            #expect(receipts.allSatisfy { $0.durability == .disk })
            #expect(node.readiness == .ready)
            fixture.logs.setSlow(false)
            try await eventually("the log has it") { try await fixture.logs.counts.count == 4 }
        }
    }

    @Test("a producer that has failed for good leaves the spool, and says so")
    func failedProducer() async throws {
        let fixture = RemoteFixture()
        try await fixture.run { node in
            fixture.logs.set(.hasFailed)
            for _ in 0..<3 {
                let receipts = try await node.count([Self.banners[0]])
                #expect(receipts.map(\.durability) == [.disk])
            }
            guard case .counting(let problem) = node.readiness else {
                Issue.record("nobody is told: \(node.readiness)")
                return
            }
            #expect(problem.contains("can't go on"))
        }
    }

    @Test("a spool that has failed for good leaves the log")
    func failedSpool() async throws {
        let spool = GatedLog(isOpen: true)
        await spool.fail(.failed("the disk broke"))
        let fixture = RemoteFixture(spool: spool)
        try await fixture.run { node in
            fixture.logs.set(.refuses)
            await #expect(throws: IngestError.self) { try await node.count([Self.banners[0]]) }
            guard case .notReady(let reasons) = node.readiness else {
                Issue.record("nobody is told: \(node.readiness)")
                return
            }
            #expect(reasons.first?.contains("the disk broke") == true)
            fixture.logs.set(nil)
            try await eventually("the log answers") { node.readiness == .ready }
            _ = try await node.count([Self.banners[0]])
        }
        #expect(try await fixture.logs.counts == [Self.banners[0]: 1])
    }

    @Test("a chunk that the log never takes is refused, and does not stand in the spool before all others")
    func longChunk() async throws {
        let fixture = RemoteFixture(largestChunk: 200)
        try await fixture.run { node in
            var admitted = AdmittedEvents()
            for number in 0..<50 {
                try node.admit(EventInput(banner: BannerID(Self.banners[0])!, id: "\(number)"), to: &admitted)
            }
            do {
                _ = try await node.record(admitted)
                Issue.record("it is too long")
            } catch IngestError.unavailable(let reason) {
                #expect(reason.contains("the log takes 200"))
            }
            #expect(node.status.delivery?.spooledChunks == 0)
            #expect(node.readiness == .ready)
            _ = try await node.count([Self.banners[0]])
        }
        #expect(try await fixture.logs.counts == [Self.banners[0]: 1])
    }

    @Test("a spool that was written for more partitions is refused, and kept")
    func foreignSpool() async throws {
        let spool = MemoryLog(id: LogID("spool")!)
        var chunk = SampleChunks.chunk(1)
        chunk.node = NodeID(bits: 11)
        _ = try await spool.append([chunk])
        let fixture = RemoteFixture(spool: spool)
        await #expect(throws: LogError.self) { try await fixture.node() }
        #expect(try await spool.end() == LogOffset(1))
    }

    @Test("another node's chunk is split over the partitions; one of this process is refused")
    func chunks() async throws {
        let fixture = RemoteFixture()
        try await fixture.run { node in
            var builder = ChunkBuilder()
            for banner in Self.banners {
                let minute = Minute(fixture.clock.now())
                let fits = builder.add(CountedEvent(banner: BannerID(banner)!, kind: .click, minute: minute, count: 3))
                #expect(fits)
            }
            let chunk = builder.chunk(node: NodeID(bits: 0xF00D_0000), sequence: 1, time: .epoch)
            for _ in 0..<2 {
                let receipt = try await node.append(try node.admit(chunk))
                #expect(receipt.receipts.count == 4)
            }
            let expected = Dictionary(uniqueKeysWithValues: Self.banners.map { ($0, Int64(3)) })
            #expect(try await fixture.logs.counts == expected, "a chunk counts once, however often it is sent")
            let own = builder.chunk(node: NodeID(bits: 0xA_0003), sequence: 1, time: .epoch)
            #expect(throws: EventRejection.ownNode(own.node)) { try node.admit(own) }
            let empty = Chunk(
                node: NodeID(bits: 0xF00D_0000), sequence: 2, time: .epoch, kinds: [], deltas: [], identified: [])
            #expect(try await node.append(try node.admit(empty)).receipts == [])
        }
    }
}
