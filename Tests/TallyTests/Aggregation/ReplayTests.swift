// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("From the checkpoint to the end of the log")
final class ReplayTests {
    private static let log = LogID("test")!
    private static let configuration = Aggregator.Configuration(windowLimit: 7, lateMinutes: 10)
    private var replay = Replay(log: log, layout: .minute, configuration: configuration)

    private func entry(_ offset: Int64, minute: Int64) -> LogEntry {
        let delta = Delta(banner: BannerID(1)!, kind: 0, minute: Minute(sinceEpoch: minute)!, count: 2)
        let chunk = Chunk(
            node: SampleChunks.node, sequence: UInt64(offset), time: Timestamp(milliseconds: 6_000_000),
            kinds: [.click],
            deltas: [delta], identified: [])
        return LogEntry(offset: LogOffset(offset), chunk: chunk)
    }

    private var checkpoint: Checkpoint {
        Checkpoint(
            upTo: LogOffset(5), readFrom: LogOffset(3), timeBefore: .epoch, lastMinute: Minute(sinceEpoch: 100)!,
            kinds: [.click], sequences: [SampleChunks.node: SequenceRanges([1...5])!],
            confirmedMissing: [SampleChunks.other: SequenceRanges([2...3])!],
            settings: CountingSettings(windowMilliseconds: 3_600_000, windowLimit: 7, lateMinutes: 10))
    }

    @Test("a log that the store has never seen is read from its beginning")
    func newLog() {
        #expect(replay.action == .readCheckpoint)
        replay.didRead(checkpoint: nil)
        #expect(replay.action == .readEnd)
        replay.didRead(end: LogOffset(2))
        #expect(replay.action == .read(from: LogOffset(1)))
        let banners = replay.didRead([entry(1, minute: 100)])
        #expect(banners == [BannerID(1)!])
        #expect(replay.action == .read(from: LogOffset(2)))
        #expect(replay.progress?.position == LogOffset(1))
        // The last message may be no chunk.
        _ = replay.didRead([])
        #expect(replay.action == .finished)
        let aggregator = replay.finished()
        #expect(aggregator.position == LogOffset(1))
        #expect(aggregator.rowCount == 1)
    }

    @Test("it ends where the log ended when it began, though the log grows meanwhile")
    func growingLog() {
        replay.didRead(checkpoint: nil)
        replay.didRead(end: LogOffset(3))
        _ = replay.didRead([entry(1, minute: 100), entry(2, minute: 100)])
        #expect(replay.action == .read(from: LogOffset(3)))
        _ = replay.didRead([entry(3, minute: 100), entry(4, minute: 100)])
        #expect(replay.action == .finished)
        let aggregator = replay.finished()
        #expect(aggregator.position == LogOffset(4))
    }

    @Test("reading begins where the ids stand, and rows that the store may have are loaded")
    func fromACheckpoint() {
        replay.didRead(checkpoint: checkpoint)
        replay.didRead(end: LogOffset(6))
        #expect(replay.action == .read(from: LogOffset(3)))
        _ = replay.didRead((3...6).map { entry($0, minute: 100) })
        let key = RowKey(banner: BannerID(1)!, kind: .click, start: Minute(sinceEpoch: 100)!)
        #expect(replay.action == .load([key]))
        replay.didLoad([Row(key: key, counts: .minute(10), upTo: LogOffset(5))])
        #expect(replay.action == .finished)
        let aggregator = replay.finished()
        let flush = aggregator.beginFlush()
        #expect(flush?.rows == [Row(key: key, counts: .minute(12), upTo: LogOffset(6))])
        #expect(flush?.checkpoint.confirmedMissing == checkpoint.confirmedMissing)
        #expect(flush?.checkpoint.settings == checkpoint.settings)
    }

    /// A replay from the checkpoint meets a log that begins later, and asks for the checkpoint again.
    private func findTrimmed(first: LogOffset, end: Int64, isTrimmedByOthers: Bool = true) {
        replay = Replay(
            log: Self.log, layout: .minute, configuration: Self.configuration, isTrimmedByOthers: isTrimmedByOthers)
        replay.didRead(checkpoint: checkpoint)
        replay.didRead(end: LogOffset(end))
        replay.didFindTrimmed(first: first)
        #expect(replay.action == .readCheckpoint)
    }

    @Test("a log that has dropped what is counted is read from its new beginning, if others trim it")
    func droppedIDs() {
        for (first, isTrimmedByOthers, isCounted) in [
            (Int64(6), true, true), (5, true, true), (7, true, false), (5, false, false),
        ] {
            let first = LogOffset(first)
            findTrimmed(first: first, end: 6, isTrimmedByOthers: isTrimmedByOthers)
            replay.didRead(checkpoint: checkpoint)
            #expect(
                replay.action
                    == (isCounted ? .read(from: first) : .refuse(.storeBehindLog(log: Self.log, first: first))))
            #expect(replay.lostIDs == (isCounted ? LogOffset(3)..<first : nil))
        }
    }

    @Test("a log that has dropped all that is counted is at its end")
    func droppedEverything() {
        findTrimmed(first: LogOffset(6), end: 5)
        replay.didRead(checkpoint: checkpoint)
        #expect(replay.action == .finished)
        let aggregator = replay.finished()
        #expect(aggregator.position == LogOffset(5))
    }

    @Test("a log that was trimmed since another server has counted further is begun again from there")
    func countedFurther() {
        findTrimmed(first: LogOffset(5), end: 9)
        var further = checkpoint
        (further.upTo, further.readFrom) = (LogOffset(8), LogOffset(5))
        replay.didRead(checkpoint: further)
        #expect(replay.action == .refuse(.storeBehindLog(log: Self.log, first: LogOffset(5))))
    }

    @Test("a log that was counted with other settings is refused, with both values and the command")
    func otherSettings() {
        var window = Self.configuration
        window.window = .seconds(7_200)
        var limit = Self.configuration
        limit.windowLimit = 8
        var late = Self.configuration
        late.lateMinutes = 0
        let expected = [
            (window, "--dedup-window was 1h and is now 2h", "--store URL --dedup-window 2h"),
            (limit, "--dedup-limit was 7 and is now 8", "--store URL --dedup-limit 8"),
            (late, "--accept-late was 10m and is now 0", "--store URL --accept-late 0"),
        ]
        for (configuration, difference, command) in expected {
            replay = Replay(log: Self.log, layout: .minute, configuration: configuration)
            replay.didRead(checkpoint: checkpoint)
            let error = StartError.otherSettings(
                log: Self.log, stored: Self.configuration.settings, configured: configuration.settings)
            #expect(replay.action == .refuse(error))
            #expect("\(error)".contains(difference) && "\(error)".hasSuffix(command), "\(error)")
            #expect(PartitionDuties.Ending(error) == .stopped("\(error)"))
        }
    }

    @Test("a log without settings adopts those of the server with the next flush")
    func adoptedSettings() {
        var old = checkpoint
        old.settings = nil
        replay.didRead(checkpoint: old)
        replay.didRead(end: LogOffset(6))
        _ = replay.didRead((3...6).map { entry($0, minute: 200) })
        let aggregator = replay.finished()
        #expect(aggregator.beginFlush()?.checkpoint.settings == Self.configuration.settings)
    }

    @Test("a log that ends before its checkpoint is not the one the store knows")
    func logBehindStore() {
        replay.didRead(checkpoint: checkpoint)
        replay.didRead(end: LogOffset(4))
        let error = StartError.logBehindStore(log: Self.log, end: LogOffset(4), checkpoint: LogOffset(5))
        #expect(replay.action == .refuse(error))
    }

    @Test("a log that has another chunk where the checkpoint has counted one is another log")
    func otherLog() {
        for stranger in [7, 2] as [Int64] {
            replay = Replay(log: Self.log, layout: .minute, configuration: Self.configuration)
            replay.didRead(checkpoint: checkpoint)
            replay.didRead(end: LogOffset(9))
            var entries = (3...6).map { entry($0, minute: 100) }
            var chunk = entry(stranger, minute: 100).chunk
            if stranger == 2 { chunk.node = SampleChunks.other }
            entries[1] = LogEntry(offset: LogOffset(4), chunk: chunk)
            let banners = replay.didRead(entries)
            #expect(banners.isEmpty)
            let error = StartError.otherLog(log: Self.log, offset: LogOffset(4), checkpoint: LogOffset(5))
            #expect(replay.action == .refuse(error))
        }
    }

    @Test("a chunk that comes again behind the checkpoint is no stranger")
    func repeatedChunk() {
        replay.didRead(checkpoint: checkpoint)
        replay.didRead(end: LogOffset(6))
        _ = replay.didRead([entry(3, minute: 100)])
        let banners = replay.didRead([LogEntry(offset: LogOffset(6), chunk: entry(9, minute: 100).chunk)])
        #expect(!banners.isEmpty)
    }
}
