// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import tally

struct ImportBlockTests {
    private func fingerprint(_ pieces: [String]) -> ImportFingerprint {
        var fingerprint = ImportFingerprint()
        for piece in pieces { fingerprint.add(Array(piece.utf8)) }
        return fingerprint
    }

    private let options = ImportOptions(format: .log, match: "(a)", registers: false, kind: .click)

    private func blocks(_ lines: [String]) throws -> (blocks: [ImportBlock], summary: ImportSummary) {
        var builder = BlockBuilder(reader: EventLineReader(defaultKind: .click, registers: true))
        var blocks: [ImportBlock] = []
        for (index, line) in lines.enumerated() {
            let record = Record(line: index + 1, bytes: Array(line.utf8), isTooLong: false)
            if let block = try builder.add(record) { blocks.append(block) }
        }
        if let last = builder.finish() { blocks.append(last) }
        for block in blocks { builder.settle(block, isDuplicate: block.sequence == 1) }
        return (blocks, builder.summary)
    }

    @Test func theFingerprintIsTheContentHoweverItIsCut() {
        #expect(fingerprint(["abc", "", "def"]).node(options) == fingerprint(["a", "bcdef"]).node(options))
        #expect(fingerprint(["abc"]).node(options) != fingerprint(["abd"]).node(options))
    }

    @Test func everyOptionThatChangesTheMeaningChangesTheFingerprint() throws {
        let other = [
            ImportOptions(format: .csv, match: "(a)", registers: false, kind: .click),
            ImportOptions(format: .log, match: "(b)", registers: false, kind: .click),
            ImportOptions(format: .log, match: nil, registers: false, kind: .click),
            ImportOptions(format: .log, match: "(a)", registers: true, kind: .click),
            ImportOptions(format: .log, match: "(a)", registers: false, kind: .impression),
        ]
        let content = fingerprint(["abc"])
        #expect(Set(([options] + other).map(content.node)).count == 6)
    }

    @Test func theFingerprintIsTheSameInEveryVersion() {
        // When this changes, an import that was begun before counts again: raise "tally import 1" knowingly.
        #expect("\(fingerprint(["abc"]).node(options))" == "26cbdee083dc1a79341ce8f9be7ba231")
    }

    @Test func blocksHaveSoManyRecordsWhateverTheyHold() throws {
        let event = #"{"banner":1,"ts":0}"#
        let lines = [event] + Array(repeating: "broken", count: ImportBlock.records * 2) + [event, event]
        let (blocks, summary) = try blocks(lines)
        #expect(blocks.map(\.sequence) == [1, 2, 3])
        #expect(blocks.map(\.recordCount) == [ImportBlock.records, ImportBlock.records, 3])
        #expect(blocks.map(\.events.count) == [1, 0, 2])
        #expect(summary.lines == 10_003)
        #expect(summary.rejected == 10_000)
        #expect(summary.rejections.count == ImportSummary.shownRejections)
        #expect(summary.rejections.first == .init(line: 2, reason: "it is no JSON object"))
        #expect((summary.alreadyThere, summary.counted) == (1, 2))
        #expect(summary.banners == 1)
        #expect(
            summary.report.last
                == "10,003 lines: 2 events counted, 1 already there, 1 banner, 0 lines without a match, 10,000 rejected"
        )
        #expect(summary.report.contains("… and 9,995 more lines that can't be read"))
    }

    @Test func aFileOfWholeBlocksHasNoEmptyLastBlock() throws {
        #expect(try blocks(Array(repeating: "", count: ImportBlock.records)).blocks.count == 1)
        #expect(try blocks([]).blocks.isEmpty)
    }

    @Test func aBlockAlwaysGivesTheSameChunk() throws {
        let lines = (0..<100).map { #"{"name":"n\#($0 % 7)","ts":\#($0 * 45),"n":\#($0 + 1)}"# }
        let first = try #require(try blocks(lines).blocks.first)
        let second = try #require(try blocks(lines).blocks.first)
        let ids = Dictionary(
            uniqueKeysWithValues: try first.names.enumerated().map { ($1, try #require(BannerID(Int64($0 + 1)))) })
        let node = NodeID(bits: 7)
        #expect(first.chunk(node: node, banners: ids).encoded() == second.chunk(node: node, banners: ids).encoded())
        #expect(first.names == ["n0", "n1", "n2", "n3", "n4", "n5", "n6"])
        let chunk = first.chunk(node: node, banners: ids)
        #expect(chunk.deltas.reduce(0) { $0 + $1.count } == 5_050)
        #expect((chunk.node, chunk.sequence) == (node, 1))
        #expect(try Chunk(decoding: chunk.encoded()[...]) == chunk)
    }

    @Test func anEventWithAnIdStaysOneOfItsOwn() throws {
        let block = try #require(try blocks([#"{"banner":5,"ts":0,"id":"x"}"#, #"{"banner":5,"ts":0}"#]).blocks.first)
        let chunk = block.chunk(node: NodeID(bits: 1), banners: [:])
        let banner = try #require(BannerID(5))
        #expect(chunk.identified.map(\.id) == [EventID("x", banner: banner, kind: .click)])
        #expect(chunk.deltas.count == 1)
    }

    @Test func moreKindsThanAChunkHoldsAreRejected() throws {
        let lines = (0...Limits.kinds).map { #"{"banner":1,"ts":0,"kind":"k\#($0)"}"# }
        let (blocks, summary) = try blocks(lines + [#"{"banner":1,"ts":0,"kind":"k0"}"#])
        #expect(summary.rejected == 1)
        #expect(summary.rejections.first?.reason == "“k256” is one kind too many; allowed: 256")
        #expect(blocks.first?.chunk(node: NodeID(bits: 1), banners: [:]).kinds.count == Limits.kinds)
    }

    @Test func namesAreCutIntoRequestsThatFit() {
        let many = (0..<2_500).map { "n\($0)" }
        #expect(NameBatches.cut(many).map(\.count) == [1_000, 1_000, 500])
        #expect(NameBatches.cut(many).flatMap { $0 } == many)
        let long = (0..<900).map { _ in String(repeating: "x", count: 2_048) }
        #expect(NameBatches.cut(long).allSatisfy { $0.reduce(0) { $0 + $1.utf8.count } <= NameBatches.bytes })
        #expect(NameBatches.cut(long).count == 2)
        #expect(NameBatches.cut([]).isEmpty)
    }
}
