// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The reference: an array. It defines what the contract means and is what unit tests count into; it survives nothing.
package final class MemoryLog: EventLog {
    private struct State {
        var entries: [LogEntry] = []
        var last = LogOffset.none
        var first = LogOffset(1)
    }

    package let id: LogID
    package let durability = Durability.memory
    private let state = Mutex(State())

    package init(id: LogID) { self.id = id }

    package func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset] {
        state.withLock { state in
            chunks.map { chunk in
                state.last = state.last.next
                state.entries.append(LogEntry(offset: state.last, chunk: chunk))
                return state.last
            }
        }
    }

    package func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry] {
        let (found, first) = state.withLock { state in
            (state.entries.drop { $0.offset < offset }, state.first)
        }
        if max(offset, LogOffset(1)) < first { throw .trimmed(first: first) }
        var bytes = 0
        let fitting = found.prefix { entry in
            defer { bytes += entry.chunk.encoded().count }
            return bytes < maximumBytes
        }
        return fitting.isEmpty ? Array(found.prefix(1)) : Array(fitting)
    }

    package func end() async throws(LogError) -> LogOffset { state.withLock { $0.last } }

    package func trim(before offset: LogOffset) async throws(LogError) {
        state.withLock { state in
            state.entries.removeAll { $0.offset < offset }
            state.first = max(state.first, min(offset, state.last.next))
        }
    }
}
