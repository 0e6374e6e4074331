// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

/// What every `EventLog` must do, checked against one that is new and empty.
struct EventLogSuite {
    struct Promise: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let check: @Sendable (EventLogSuite) async throws -> Void

        init(_ text: String, _ check: @escaping @Sendable (EventLogSuite) async throws -> Void) {
            testDescription = text
            self.check = check
        }
    }

    let log: any EventLog
    /// Another handle of the same log, as another process has one.
    let other: any EventLog

    init(log: any EventLog, other: (any EventLog)? = nil) {
        self.log = log
        self.other = other ?? log
    }

    static let promises = [
        Promise("an empty log has no end and nothing to read") { try await $0.empty() },
        Promise("no chunks are appended at once") { try await $0.appendingNothing() },
        Promise("chunks are read back as they were appended") { try await $0.readsBack() },
        Promise("offsets ascend over many appends") { try await $0.offsetsAscend() },
        Promise("reading begins at the first chunk not below the offset") { try await $0.readsFromTheMiddle() },
        Promise("reading behind the end gives nothing") { try await $0.readsBehindTheEnd() },
        Promise("a reading is about as large as asked, and never empty before the end") {
            try await $0.readsInPieces()
        },
        Promise("a large chunk comes back whole") { try await $0.readsLargeChunk() },
        Promise("chunks may be read again, and by turns") { try await $0.readsAgain() },
        Promise("trimming keeps everything from the offset on") { try await $0.trimKeeps() },
        Promise("what was trimmed is reported, not passed over") { try await $0.trimReports() },
        Promise("a reader that another handle outruns is told what was trimmed, and skips nothing") {
            try await $0.trimOutrunsReader()
        },
        Promise("trimming everything keeps the end") { try await $0.trimEverything() },
        Promise("appends that overlap get different offsets") { try await $0.appendsOverlap() },
    ]

    private func empty() async throws {
        #expect(try await log.end() == .none)
        #expect(try await log.read(from: LogOffset(1), maximumBytes: 1000) == [])
        #expect(try await log.read(from: .none, maximumBytes: 1000) == [])
    }

    private func appendingNothing() async throws {
        #expect(try await log.append([]) == [])
        #expect(try await log.end() == .none)
    }

    private func readsBack() async throws {
        var generator = SeededGenerator(seed: 1)
        let chunks = (0..<20).map { _ in SampleChunks.random(using: &generator) }
        let offsets = try await log.append(chunks)
        let entries = try await readAll()
        #expect(entries.map(\.chunk) == chunks)
        #expect(entries.map(\.offset) == offsets)
        #expect(try await log.end() == offsets.last)
    }

    private func offsetsAscend() async throws {
        var offsets: [LogOffset] = []
        for sequence in 1...30 as ClosedRange<UInt64> {
            let chunks = SampleChunks.chunks(sequence * 10...sequence * 10 + sequence % 4)
            let new = try await log.append(chunks)
            #expect(new.count == chunks.count)
            offsets += new
            #expect(try await log.end() == new.last)
        }
        #expect(offsets == offsets.sorted())
        #expect(Set(offsets).count == offsets.count)
        #expect(offsets[0] > .none)
    }

    private func readsFromTheMiddle() async throws {
        let offsets = try await log.append(SampleChunks.chunks(1...50))
        for (index, offset) in offsets.enumerated() {
            let entries = try await log.read(from: offset, maximumBytes: 100)
            #expect(entries.first == LogEntry(offset: offset, chunk: SampleChunks.chunk(UInt64(index) + 1)))
        }
    }

    private func readsBehindTheEnd() async throws {
        let last = try #require(try await log.append(SampleChunks.chunks(1...3)).last)
        #expect(try await log.read(from: last.next, maximumBytes: 1000) == [])
        #expect(try await log.read(from: LogOffset(last.value + 1000), maximumBytes: 1000) == [])
    }

    private func readsInPieces() async throws {
        _ = try await log.append(SampleChunks.chunks(1...40, entries: 20))
        let one = SampleChunks.chunk(1, entries: 20).encoded().count
        #expect(try await log.read(from: LogOffset(1), maximumBytes: 1).count == 1)
        let few = try await log.read(from: LogOffset(1), maximumBytes: 5 * one)
        #expect((1...10).contains(few.count))
        #expect(try await readAll(maximumBytes: 3 * one).map(\.chunk.sequence) == Array(1...40))
    }

    private func readsLargeChunk() async throws {
        let chunks = [SampleChunks.chunk(1), SampleChunks.chunk(2, entries: 30_000), SampleChunks.chunk(3)]
        let offsets = try await log.append(chunks)
        #expect(try await readAll(maximumBytes: 100).map(\.chunk) == chunks)
        #expect(try await log.read(from: offsets[1], maximumBytes: 1).map(\.chunk) == [chunks[1]])
    }

    private func readsAgain() async throws {
        let offsets = try await log.append(SampleChunks.chunks(1...20))
        for _ in 1...3 {
            for index in [0, 19, 7, 8, 3] {
                let entry = try await log.read(from: offsets[index], maximumBytes: 1).first
                #expect(entry?.chunk == SampleChunks.chunk(UInt64(index) + 1))
            }
        }
    }

    private func trimKeeps() async throws {
        let offsets = try await log.append(SampleChunks.chunks(1...60))
        try await log.trim(before: offsets[40])
        let entries = try await readAll(from: offsets[40])
        #expect(entries.map(\.chunk.sequence) == Array(41...60))
        try await log.trim(before: offsets[10])
        #expect(try await readAll(from: offsets[40]).count == 20)
        #expect(try await log.append([SampleChunks.chunk(61)])[0] > offsets[59])
    }

    private func trimReports() async throws {
        let offsets = try await log.append(SampleChunks.chunks(1...200))
        try await log.trim(before: offsets[150])
        do {
            let entries = try await log.read(from: offsets[0], maximumBytes: 100)
            // A log may keep more than it must.
            #expect(entries.first?.offset == offsets[0])
        } catch LogError.trimmed(let first) {
            #expect(first > offsets[0] && first <= offsets[150])
            #expect(try await log.read(from: first, maximumBytes: 100).first?.offset == first)
        }
    }

    /// At each position of the reader, before, within and behind what it has read ahead, also where it waits at the end.
    private func trimOutrunsReader() async throws {
        var appended: [LogOffset] = []
        var position = LogOffset(1)
        var sequence: UInt64 = 1
        for step in [1, 3, 10, 40, 200] {
            appended += try await other.append(SampleChunks.chunks(sequence...sequence + UInt64(step) + 4))
            sequence += UInt64(step) + 5
            position = try await readOn(from: position, atMost: step, appended)
            try await other.trim(before: appended[appended.count - 2])
            appended += try await other.append([SampleChunks.chunk(sequence)])
            sequence += 1
            position = try await readOn(from: position, atMost: .max, appended)
            #expect(position == appended.last?.next)
            await (log as? any WaitingLog)?.wait(for: position, within: .milliseconds(10))
        }
    }

    /// Reads on, and where the log was trimmed from its new beginning: no offset that was appended is left out otherwise.
    private func readOn(from start: LogOffset, atMost count: Int, _ appended: [LogOffset]) async throws -> LogOffset {
        var expected = appended.drop { $0 < start }
        var position = start
        var read = 0
        while read < count {
            switch await log.reply(from: position, maximumBytes: 300) {
            case .success(let entries):
                guard let last = entries.last else { return position }
                #expect(entries.map(\.offset) == Array(expected.prefix(entries.count)))
                expected = expected.dropFirst(entries.count)
                position = last.offset.next
                read += entries.count
            case .failure(.trimmed(let first)):
                #expect(first > position, "what was trimmed stands before")
                expected = appended.drop { $0 < first }
                position = first
            case .failure(let error): throw error
            }
        }
        return position
    }

    private func trimEverything() async throws {
        let last = try #require(try await log.append(SampleChunks.chunks(1...30)).last)
        try await log.trim(before: last.next)
        #expect(try await log.end() == last)
        #expect(try await log.read(from: last.next, maximumBytes: 100) == [])
        let next = try #require(try await log.append([SampleChunks.chunk(31)]).first)
        #expect(next > last)
        #expect(try await log.read(from: next, maximumBytes: 100).map(\.chunk) == [SampleChunks.chunk(31)])
    }

    private func appendsOverlap() async throws {
        let log = log
        let offsets = try await withThrowingTaskGroup(of: [LogOffset].self) { group in
            for sequence in 1...20 as ClosedRange<UInt64> {
                group.addTask { try await log.append([SampleChunks.chunk(sequence)]) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(offsets).count == 20)
        #expect(Set(try await readAll().map(\.chunk.sequence)) == Set(1...20))
    }

    private func readAll(from offset: LogOffset = LogOffset(1), maximumBytes: Int = 300) async throws -> [LogEntry] {
        var entries: [LogEntry] = []
        var next = offset
        while true {
            let more = try await log.read(from: next, maximumBytes: maximumBytes)
            guard let last = more.last else { return entries }
            entries += more
            next = last.offset.next
        }
    }
}
