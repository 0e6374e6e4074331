// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What one reading of a partition found.
struct LogSurvey {
    private(set) var chunks = 0
    /// The encoded size of all chunks, which is what the messages hold.
    private(set) var bytes = 0
    private(set) var events: Int64 = 0
    /// Chunks that stand in the log more than once; each counts once.
    private(set) var repeated = 0
    private(set) var first: LogOffset?
    private(set) var last: LogOffset?
    /// Why reading had to end before the end.
    private(set) var damage: String?
    private var sequences: [NodeID: SequenceRanges] = [:]
    /// What each server's last chunk declares of those before it.
    private var declared: [NodeID: (sequence: UInt64, unsettled: SequenceRanges)] = [:]
    /// Begins where the store's checkpoint ends.
    private var ledger: SequenceLedger
    private let checkpoint: Checkpoint
    /// Where the log begins.
    private var beginning = LogOffset(1)

    /// - Parameter checkpoint: the store's; nil when there is none.
    init(checkpoint: Checkpoint? = nil) {
        self.checkpoint = checkpoint ?? .start
        ledger = SequenceLedger(counted: self.checkpoint.sequences, confirmed: self.checkpoint.confirmedMissing)
    }

    /// What stood before was dropped.
    mutating func note(beginning: LogOffset) { self.beginning = max(self.beginning, beginning) }

    mutating func note(_ entry: LogEntry) {
        if entry.offset > checkpoint.upTo { _ = ledger.add(entry.chunk, skipsOffsets: false) }
        if let unsettled = entry.chunk.unsettled, declared[entry.chunk.node]?.sequence ?? 0 < entry.chunk.sequence {
            declared[entry.chunk.node] = (entry.chunk.sequence, unsettled)
        }
        chunks += 1
        bytes += entry.chunk.encoded().count
        first = first ?? entry.offset
        last = entry.offset
        let chunk = entry.chunk
        let isNew = sequences[chunk.node, default: SequenceRanges()].insert(chunk.sequence)
        guard isNew else {
            repeated += 1
            return
        }
        for delta in chunk.deltas { add(delta.count) }
        for entry in chunk.identified { add(entry.delta.count) }
    }

    mutating func note(damage reason: String) { damage = reason }

    private mutating func add(_ count: Int64) {
        let (sum, overflow) = events.addingReportingOverflow(count)
        events = overflow ? .max : sum
    }

    /// Chunks whose node has later ones here.
    private var absent: UInt64 { sequences.values.reduce(0) { $0 + $1.missing } }

    /// Of those, what their servers have given up, or have in a spool.
    private var unsettled: UInt64 {
        declared.reduce(0) { sum, item in
            var numbers = item.value.unsettled
            if let counted = sequences[item.key] { numbers.subtract(counted) }
            return sum + numbers.count
        }
    }

    /// Of those, what was confirmed to be lost.
    private var confirmed: UInt64 {
        checkpoint.confirmedMissing.reduce(0) { sum, item in
            guard let counted = sequences[item.key], item.value.highest < counted.highest else { return sum }
            var numbers = item.value
            numbers.subtract(counted)
            return sum + numbers.count
        }
    }

    /// The chunks that the log lacks though a later chunk of their server asserts that it has them, by node. Empty where the log was
    /// trimmed beyond the checkpoint: what stood there is not known.
    var missing: [NodeID: SequenceRanges] { beginning <= checkpoint.upTo.next ? ledger.missing : [:] }

    var text: String {
        guard let first, let last else { return "empty" }
        var parts = [
            "\(NumberText.counted(chunks, "chunk")) of \(NumberText.counted(bytes, "byte"))",
            NumberText.counted(events, "event"), "offsets \(first) to \(last)",
        ]
        if repeated > 0 { parts.append("\(NumberText.grouped(repeated)) repeated") }
        if absent > 0 { parts.append(absentText) }
        return parts.joined(separator: ", ")
    }

    private var absentText: String {
        let reasons = [(unsettled, "given up or in a spool"), (confirmed, "confirmed to be lost")].filter { $0.0 > 0 }
        let text = reasons.map { "\(NumberText.grouped($0.0)) \($0.1)" }.joined(separator: ", ")
        return "\(NumberText.grouped(absent)) not there" + (text.isEmpty ? "" : " (\(text))")
    }
}
