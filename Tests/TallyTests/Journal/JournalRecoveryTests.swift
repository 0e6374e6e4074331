// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

/// The machine alone: events in, actions out.
@Suite("The recovery of a journal decides")
struct JournalRecoveryTests {
    private let place = JournalBench.place
    private let format = RecordFormat(identity: JournalBench.identity)

    /// A file with these records; `synced` is what each of them says.
    private func file(
        first: Int64, headerSynced: Int64 = 0, records: [(offset: Int64, synced: Int64)] = [], lost: Int64 = 0,
        lastSequence: UInt64 = 0
    ) -> [UInt8] {
        let header = SegmentHeader(
            identity: JournalBench.identity, size: 4096, first: LogOffset(first), lost: lost,
            synced: LogOffset(headerSynced), lastSequence: lastSequence)
        var bytes = header.encoded()
        for record in records {
            let payload = SampleChunks.chunk(UInt64(record.offset)).encoded()
            format.append(payload, offset: LogOffset(record.offset), synced: LogOffset(record.synced), to: &bytes)
        }
        return bytes + Array(repeating: 0, count: 4096 - bytes.count)
    }

    private var recordBytes: Int { RecordFormat.byteCount(payload: SampleChunks.chunk(1).encoded().count) }

    /// Where the n-th record of a file begins, from 0.
    private func position(_ index: Int) -> Int { SegmentHeader.byteCount + index * recordBytes }

    /// Gives the machine these files and returns what it wants done then.
    private func actions(_ files: [[UInt8]], firsts: [Int64]) -> [JournalRecovery.Action] {
        let names = firsts.map(JournalBench.name)
        var recovery = JournalRecovery(files: names.reversed() + ["x.new"], place: place)
        var action = recovery.start()
        var actions: [JournalRecovery.Action] = []
        while true {
            switch action {
            case .read(let file):
                guard let index = names.firstIndex(of: file) else { return actions }
                action = recovery.didRead(files[index])
            case .finished, .refuse: return actions + [action]
            case .zero, .remove, .rewrite, .sync:
                actions.append(action)
                action = recovery.didAct()
            }
        }
    }

    @Test("an empty directory is a journal that has yet to be made")
    func empty() {
        var recovery = JournalRecovery(files: [], place: place)
        #expect(recovery.start() == .finished)
        #expect(recovery.identity == nil)
    }

    @Test("unfinished files go first, then the segments are read, oldest first")
    func order() {
        let unfinished = JournalBench.name(7) + ".new"
        var recovery = JournalRecovery(files: [JournalBench.name(3), unfinished, JournalBench.name(1)], place: place)
        #expect(recovery.start() == .read(file: JournalBench.name(1)))
        let first = file(first: 1, records: [(1, 0), (2, 1)])
        #expect(recovery.didRead(first) == .read(file: JournalBench.name(3)))
        #expect(recovery.didRead(file(first: 3, headerSynced: 2)) == .remove(file: unfinished))
        #expect(recovery.didAct() == .rewrite(file: JournalBench.name(1), positions: position(1)..<position(2)))
        #expect(recovery.didAct() == .sync(files: [JournalBench.name(1), JournalBench.name(3)]))
        #expect(recovery.didAct() == .finished)
        #expect(recovery.segments.map(\.last) == [LogOffset(2), LogOffset(2)])
        #expect(recovery.lastSequence == 2)
        #expect(recovery.doubt == nil)
    }

    @Test("what may not have been synced is written again and synced before anyone reads it")
    func syncs() {
        let found = actions([file(first: 1, records: [(1, 0), (2, 1), (3, 1)])], firsts: [1])
        #expect(
            found == [
                .rewrite(file: JournalBench.name(1), positions: position(1)..<position(3)),
                .sync(files: [JournalBench.name(1)]), .finished,
            ])
    }

    @Test("a last batch that reached into a new segment is written again in both")
    func rewritesOverSegments() {
        let files = [file(first: 1, records: [(1, 0), (2, 1)]), file(first: 3, headerSynced: 1, records: [(3, 1)])]
        #expect(
            actions(files, firsts: [1, 3]) == [
                .rewrite(file: JournalBench.name(1), positions: position(1)..<position(2)),
                .rewrite(file: JournalBench.name(3), positions: position(0)..<position(1)),
                .sync(files: [JournalBench.name(1), JournalBench.name(3)]), .finished,
            ])
    }

    @Test("a bad record that nothing behind it knows of is cut off")
    func tornTail() {
        var bytes = file(first: 1, records: [(1, 0), (2, 1), (3, 1)])
        bytes[position(1) + 40] ^= 1
        // The last chunk ends with its two counts of zero, or its padding.
        let filled = (bytes.lastIndex { $0 != 0 } ?? 0) + 1
        #expect(filled > position(2))
        #expect(
            actions([bytes], firsts: [1]) == [
                .zero(file: JournalBench.name(1), positions: position(1)..<filled),
                .rewrite(file: JournalBench.name(1), positions: position(0)..<position(1)),
                .sync(files: [JournalBench.name(1)]), .finished,
            ])
    }

    @Test("a bad record that a later one knows to be durable is damage")
    func acknowledgedRecord() {
        var bytes = file(first: 1, records: [(1, 0), (2, 1), (3, 2)])
        bytes[position(1) + 40] ^= 1
        let damage = place.damage(
            JournalBench.name(1), at: position(1), offset: LogOffset(2),
            "the checksum of a record is wrong; the record at byte \(position(2)) of \(JournalBench.name(1)) shows "
                + "that offset 2 was acknowledged")
        #expect(actions([bytes], firsts: [1]) == [.refuse(.damaged(damage))])
    }

    @Test("a later segment's header vouches for what was durable when it was made")
    func headerVouches() {
        var first = file(first: 1, records: [(1, 0), (2, 1)])
        first[position(1) + 40] ^= 1
        let isRefused = { (synced: Int64) in
            actions([first, file(first: 3, headerSynced: synced)], firsts: [1, 3]).contains { action in
                if case .refuse = action { true } else { false }
            }
        }
        #expect(isRefused(2))
        #expect(!isRefused(1))
    }

    @Test("a batch that reached into new segments is cut where it tore, newest files first")
    func tornOverSegments() {
        let files = [
            file(first: 1, records: [(1, 0), (2, 1)]), file(first: 5, headerSynced: 1, records: [(5, 1)]),
            file(first: 9, headerSynced: 1),
        ]
        #expect(
            actions(files, firsts: [1, 5, 9]) == [
                .remove(file: JournalBench.name(9)), .remove(file: JournalBench.name(5)),
                .rewrite(file: JournalBench.name(1), positions: position(1)..<position(2)),
                .sync(files: [JournalBench.name(1)]), .finished,
            ])
    }

    @Test("a segment that is missing is damage when a later one knows of it")
    func missingSegment() {
        let files = [file(first: 1, records: [(1, 0), (2, 1)]), file(first: 5, headerSynced: 4)]
        let damage = place.damage(
            JournalBench.name(1), at: position(2), offset: LogOffset(3),
            "its last record is 2, and the next file begins at 5; the header of \(JournalBench.name(5)) shows that "
                + "offset 3 was acknowledged")
        #expect(actions(files, firsts: [1, 5]) == [.refuse(.damaged(damage))])
    }

    @Test("two segments that hold the same offset are damage")
    func overlap() throws {
        let files = [file(first: 1, records: [(1, 0), (2, 1)]), file(first: 2, headerSynced: 1)]
        let action = try #require(actions(files, firsts: [1, 2]).first)
        guard case .refuse(.damaged(let damage)) = action else { throw JournalError.unavailable("\(action)") }
        #expect(damage.file == JournalBench.name(2))
    }

    @Test("a stretch that is marked as lost is no damage")
    func lostStretch() {
        let files = [file(first: 1, records: [(1, 0), (2, 1)]), file(first: 3, records: [(6, 5), (7, 6)], lost: 3)]
        #expect(actions(files, firsts: [1, 3]).last == .finished)
    }

    @Test("the last sequence is the highest of headers and own chunks")
    func lastSequence() {
        var recovery = JournalRecovery(files: [JournalBench.name(1)], place: place)
        _ = recovery.start()
        _ = recovery.didRead(file(first: 1, records: [(1, 0)], lastSequence: 40))
        #expect(recovery.lastSequence == 40)
    }

    @Test("a segment of another journal is damage")
    func otherIdentity() {
        let header = SegmentHeader(
            identity: SampleChunks.other, size: 4096, first: LogOffset(2), lost: 0, synced: .none, lastSequence: 0)
        let other = header.encoded() + Array(repeating: 0, count: 4096 - SegmentHeader.byteCount)
        let damage = place.damage(
            JournalBench.name(2), at: 16, offset: LogOffset(2),
            "it belongs to journal \(SampleChunks.other), the others to \(SampleChunks.node)")
        #expect(actions([file(first: 1, records: [(1, 0)]), other], firsts: [1, 2]) == [.refuse(.damaged(damage))])
    }

    @Test("a format of a newer tally is not called damage")
    func newerFormat() {
        var bytes = Array(file(first: 1)[..<124])
        bytes[8] = 2
        let newer = bytes + withUnsafeBytes(of: CRC32C.of(bytes).littleEndian, Array.init)
        let text =
            "journal/\(JournalBench.name(1)) was written by a newer tally: it has format version 2, this tally reads "
            + "version 1. Use that tally"
        #expect(actions([newer + Array(repeating: 0, count: 3968)], firsts: [1]) == [.refuse(.newer(text))])
    }

    @Test("a chunk of a newer tally is not called damage")
    func newerChunk() throws {
        var payload = SampleChunks.chunk(1).encoded()
        payload[0] = 4
        var bytes = Array(file(first: 1)[..<SegmentHeader.byteCount])
        format.append(payload, offset: LogOffset(1), synced: .none, to: &bytes)
        let action = try #require(
            actions([bytes + Array(repeating: 0, count: 4096 - bytes.count)], firsts: [1]).first)
        guard case .refuse(.newer(let text)) = action else { throw JournalError.unavailable("\(action)") }
        #expect(text.contains("a chunk of version 4"))
    }

    @Test("a whole record that holds no chunk is damage, not a tear")
    func noChunk() throws {
        var payload = SampleChunks.chunk(1).encoded()
        payload[17] = 0
        var bytes = Array(file(first: 1)[..<SegmentHeader.byteCount])
        format.append(payload, offset: LogOffset(1), synced: .none, to: &bytes)
        let action = try #require(
            actions([bytes + Array(repeating: 0, count: 4096 - bytes.count)], firsts: [1]).first)
        guard case .refuse(.damaged(let damage)) = action else { throw JournalError.unavailable("\(action)") }
        #expect(damage.what == "not a chunk: a sequence out of range")
    }

    @Test("a refusal is the last word")
    func refusalStays() {
        var recovery = JournalRecovery(files: [JournalBench.name(1), JournalBench.name(2)], place: place)
        _ = recovery.start()
        let refusal = recovery.didRead([])
        #expect(recovery.didAct() == refusal)
    }

    @Test(
        "the command in a message can be copied into a shell",
        arguments: [
            ("./tally-data", "./tally-data"), ("/var/lib/tally", "/var/lib/tally"), ("my data", "'my data'"),
            ("it's", #"'it'\''s'"#), ("", "''"), ("$HOME", "'$HOME'"),
        ])
    func command(directory: String, word: String) {
        let damage = JournalPlace(dataDirectory: directory).damage("f", at: 1, offset: nil, "w")
        #expect(damage.command == "tally journal repair --data \(word)")
        #expect(damage.description.hasSuffix("run: tally journal repair --data \(word)"))
    }
}
