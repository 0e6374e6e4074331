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

    mutating func note(_ entry: LogEntry) {
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

    /// Chunks whose node has later ones here: dropped since they are old, or still on their way.
    var missing: UInt64 {
        var sum: UInt64 = 0
        for numbers in sequences.values { sum += numbers.missing }
        return sum
    }

    var text: String {
        guard let first, let last else { return "empty" }
        var parts = [
            "\(NumberText.counted(chunks, "chunk")) of \(NumberText.counted(bytes, "byte"))",
            NumberText.counted(events, "event"), "offsets \(first) to \(last)",
        ]
        if repeated > 0 { parts.append("\(NumberText.grouped(repeated)) repeated") }
        if missing > 0 { parts.append("\(NumberText.grouped(missing)) not there") }
        return parts.joined(separator: ", ")
    }
}
