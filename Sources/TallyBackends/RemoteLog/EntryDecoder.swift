// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A message of a remote log, which should hold one chunk.
protocol ChunkCarrier {
    /// As `ChunkMessage.name(of:)` makes it.
    var chunkName: String { get }
    var chunkBytes: [UInt8] { get }
}

/// Decodes the messages of one partition. A message that is no chunk to be counted there is passed over and reported once,
/// however often it is read.
struct EntryDecoder {
    private let log: LogID
    /// nil where chunks of any partition may be.
    private let partition: Int?
    private let poisoned: PoisonedMessages
    private var lastPoisoned = LogOffset.none

    init(log: LogID, partition: Int?, poisoned: PoisonedMessages) {
        self.log = log
        self.partition = partition
        self.poisoned = poisoned
    }

    /// Takes what was read ahead.
    /// - Returns: about `maximumBytes` of chunks; `[]` when all messages were passed over.
    /// - Throws: `.damaged` for a chunk of a newer version. The reading is located again then.
    mutating func take<Message: ChunkCarrier>(
        from reading: inout LogReading<Message>, maximumBytes: Int
    ) throws(LogError) -> [LogEntry] {
        var entries: [LogEntry] = []
        var bytes = 0
        while entries.isEmpty || bytes < maximumBytes, let (offset, message) = reading.next() {
            switch ChunkMessage(message.chunkBytes, name: message.chunkName, in: partition) {
            case .chunk(let chunk):
                reading.didGive()
                entries.append(LogEntry(offset: offset, chunk: chunk))
                bytes += message.chunkBytes.count
            case .poison(let reason): note(reason, at: offset)
            case .newer(let reason):
                reading = LogReading()
                throw .damaged("offset \(offset) of \(log): \(reason)")
            }
        }
        return entries
    }

    private mutating func note(_ reason: String, at offset: LogOffset) {
        if offset > lastPoisoned { poisoned.note(reason, at: offset, of: log) }
        lastPoisoned = max(lastPoisoned, offset)
    }
}
