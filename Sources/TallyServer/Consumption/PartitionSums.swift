// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What several partitions are doing together.
extension Aggregation.Statistics {
    mutating func add(_ other: Aggregation.Statistics) {
        counted = counted.addingSaturated(other.counted)
        invalid.add(other.invalid)
        duplicateEvents += other.duplicateEvents
        duplicateChunks += other.duplicateChunks
        rows += other.rows
        seenIDs += other.seenIDs
        sightings += other.sightings
        unflushedChunks += other.unflushedChunks
    }
}

extension StoreKeeper.Health {
    mutating func add(_ other: StoreKeeper.Health) {
        flushes += other.flushes
        rowsWritten += other.rowsWritten
        failures += other.failures
        problem = problem ?? other.problem
        failuresInARow = max(failuresInARow, other.failuresInARow)
        conflicts.add(other.conflicts)
        lastFlush = [lastFlush, other.lastFlush].compactMap { $0 }.max()
    }
}
