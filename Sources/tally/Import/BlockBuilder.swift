// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Turns records into blocks: reads each, counts what became of it, and closes a block after every so many records.
struct BlockBuilder {
    private var reader: any RecordReader
    private var block = ImportBlock(sequence: 1)
    private var kinds: Set<Kind> = []
    private(set) var summary = ImportSummary()

    init(reader: any RecordReader) { self.reader = reader }

    /// - Returns: a block when this record completes one.
    mutating func add(_ record: Record) throws(CommandFailure) -> ImportBlock? {
        let outcome = admitted(record.isTooLong ? BlockBuilder.tooLong : try reader.read(record))
        summary.add(outcome, line: record.line)
        if case .event(let event, _) = outcome { block.events.append(event) }
        block.recordCount += 1
        return block.isFull ? close() : nil
    }

    /// The file has ended.
    /// - Returns: the last block, unless it has no records.
    mutating func finish() -> ImportBlock? { block.recordCount == 0 ? nil : close() }

    /// A block is in the server's log.
    mutating func settle(_ block: ImportBlock, isDuplicate: Bool) {
        summary.add(events: block.eventCount, isDuplicate: isDuplicate)
    }

    private mutating func close() -> ImportBlock {
        defer {
            block = ImportBlock(sequence: block.sequence + 1)
            kinds = []
        }
        return block
    }

    /// An event may be the one that brings more kinds than a chunk has room for.
    private mutating func admitted(_ outcome: RecordOutcome) -> RecordOutcome {
        guard case .event(let event, _) = outcome else { return outcome }
        guard kinds.contains(event.kind) || kinds.count < Limits.kinds else {
            return .rejected("“\(event.kind)” is one kind too many; allowed: \(Limits.kinds)")
        }
        kinds.insert(event.kind)
        return outcome
    }

    private static let tooLong = RecordOutcome.rejected(
        "it is too long; allowed: up to \(NumberText.bytes(Int64(RecordSplitter.longest)))")
}
