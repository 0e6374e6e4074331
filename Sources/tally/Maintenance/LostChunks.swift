// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Chunks that an operator names to confirm that they are lost, and what becomes of the confirmation.
struct LostChunks: Equatable, Sendable {
    static let allowed = "NODE:FIRST, NODE:FIRST-LAST or several of these behind commas, NODE as 32 hexadecimal digits"

    let chunks: [NodeID: SequenceRanges]

    init(_ chunks: [NodeID: SequenceRanges] = [:]) { self.chunks = chunks }

    /// - Parameter arguments: as they are listed, such as `0123456789abcdef0123456789abcdef:7-9,12`.
    init(arguments: [String]) throws(CommandFailure) {
        var chunks: [NodeID: SequenceRanges] = [:]
        for argument in arguments {
            let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let node = NodeID(hex: parts[0]),
                let numbers = LostChunks.numbers(parts[1])
            else {
                throw .usage(["“\(PlainText.of(argument, upTo: 100))” names no chunks; allowed: \(LostChunks.allowed)"])
            }
            chunks[node, default: SequenceRanges()].formUnion(numbers)
        }
        self.chunks = chunks
    }

    private static func numbers(_ text: Substring) -> SequenceRanges? {
        var numbers = SequenceRanges()
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
                first >= 1, first <= last, last <= Chunk.lastSequence
            else { return nil }
            numbers.formUnion(SequenceRanges(first...last))
        }
        return numbers
    }

    var isEmpty: Bool { chunks.isEmpty }

    /// Each node with its sequences, as an operator names them.
    static func texts(_ chunks: [NodeID: SequenceRanges]) -> [String] {
        chunks.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
    }

    /// - Throws: `.usage` when a chunk is named that is not missing.
    func check(against missing: [NodeID: SequenceRanges]) throws(CommandFailure) {
        for (node, numbers) in chunks.sorted(by: { $0.key < $1.key }) {
            var unknown = numbers
            if let missing = missing[node] { unknown.subtract(missing) }
            if unknown.isEmpty { continue }
            let all = missing.isEmpty ? "nothing is" : "missing are " + LostChunks.texts(missing).joined(separator: " ")
            throw .usage(["\(node):\(unknown) is not missing; \(all)"])
        }
    }

    /// What is missing and was not named.
    func rest(of missing: [NodeID: SequenceRanges]) -> [NodeID: SequenceRanges] {
        missing.reduce(into: [:]) { rest, item in
            var numbers = item.value
            if let named = chunks[item.key] { numbers.subtract(named) }
            if !numbers.isEmpty { rest[item.key] = numbers }
        }
    }

    /// Writes the confirmation into the store's checkpoint of the log, which keeps its offset: servers that count the log read it at their
    /// next flush.
    /// - Returns: the checkpoint as it is in the store now.
    func confirm(of log: LogID, in store: any CountStore) async throws -> Checkpoint {
        // A server may save a checkpoint of a higher offset between reading and saving; then that is confirmed.
        for _ in 0..<5 {
            var checkpoint = try await store.checkpoint(of: log) ?? .start
            for (node, numbers) in chunks {
                checkpoint.confirmedMissing[node, default: SequenceRanges()].formUnion(numbers)
            }
            try await store.save(checkpoint, of: log)
            if try await store.checkpoint(of: log) == checkpoint { return checkpoint }
        }
        throw CommandFailure.failed(
            "servers write the checkpoint of \(log) all the time; nothing was confirmed: try again")
    }
}

extension MaintenanceReport {
    /// What a log lacks, of which nothing was confirmed.
    static func missing(_ missing: [(name: String, chunks: [NodeID: SequenceRanges])]) -> MaintenanceReport {
        let facts = missing.flatMap { name, chunks -> [Fact] in
            if chunks.isEmpty { return [Fact(name: name, value: "no chunk is missing")] }
            return LostChunks.texts(chunks).map { Fact(name: name, value: "missing: \($0)") }
        }
        return MaintenanceReport(facts: facts, problems: [])
    }

    /// What was confirmed.
    static func confirmed(_ lost: LostChunks, rest: [NodeID: SequenceRanges]) -> MaintenanceReport {
        var facts = LostChunks.texts(lost.chunks).map { Fact(name: "confirmed", value: $0) }
        facts += LostChunks.texts(rest).map { Fact(name: "still missing", value: $0) }
        let servers = "the events in these chunks are lost; servers that count the log go on at their next flush"
        return MaintenanceReport(facts: facts + [Fact(name: "note", value: servers)], problems: [])
    }

    /// Why a log that lacks chunks is not sound.
    static func problems(of name: String, missing: [NodeID: SequenceRanges]) -> [String] {
        LostChunks.texts(missing).map {
            "\(name) lacks the chunks \($0), though a later chunk of their server says that the log has them (tally log confirm)"
        }
    }
}
