// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyBackends
import TallyCore
import Testing

@Suite("A journal in a data directory")
struct JournalLogTests {
    private let directory: DiskTestDirectory

    init() throws { directory = try DiskTestDirectory() }

    private func open(identity: NodeID = SampleChunks.node) async throws -> JournalLog {
        try await JournalLog.open(
            in: DataDirectory(path: directory.path), settings: JournalSettings(segmentBytes: 4096)!,
            newIdentity: identity)
    }

    @Test("everything is there after opening again")
    func reopening() async throws {
        let appended = try await open().append(SampleChunks.chunks(1...300))
        let log = try await open(identity: SampleChunks.other)
        #expect(log.identity == SampleChunks.node)
        #expect(log.id == LogID(journal: SampleChunks.node))
        #expect(log.durability == .disk)
        #expect(try await log.end() == appended.last)
        #expect(await log.lastSequence == 300)
        #expect(try await log.read(from: LogOffset(300), maximumBytes: 10).map(\.chunk) == [SampleChunks.chunk(300)])
        #expect(try directory.names(in: "journal").count > 3)
    }

    @Test("the directory is held as long as the log is there")
    func holding() async throws {
        var log: JournalLog? = try await open()
        #expect(throws: DataDirectoryError.self) { try DataDirectory(path: directory.path) }
        #expect(log != nil)
        log = nil
        _ = try DataDirectory(path: directory.path)
    }

    @Test("damage stops the start, with the command that repairs it")
    func damage() async throws {
        for sequence in 1...3 as ClosedRange<UInt64> {
            _ = try await open().append([SampleChunks.chunk(sequence)])
        }
        let path = "\(directory.path)/journal/00000000000000000001.segment"
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.seek(toOffset: 160)
        try file.write(contentsOf: [0xFF])
        try file.close()
        await #expect {
            _ = try await open()
        } throws: { error in
            "\(error)".hasSuffix("run: tally journal repair --data \(directory.path)")
                && "\(error)".contains("log offset 1")
        }
    }

    @Test("progress is told while it opens")
    func progress() async throws {
        _ = try await open().append([SampleChunks.chunk(1)])
        try await confirmation { told in
            _ = try await JournalLog.open(
                in: DataDirectory(path: directory.path), newIdentity: SampleChunks.node,
                progress: { done, total in
                    #expect(done == 4096 && total == 4096)
                    told()
                })
        }
    }
}
