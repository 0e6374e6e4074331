// SPDX-License-Identifier: Apache-2.0

/// What the aggregator knows of a row beyond what the store has.
package struct UnflushedRow: Equatable, Sendable {
    /// Something that is added to a row whose stored sum is not known.
    package struct Addition: Equatable, Sendable {
        package var offset: LogOffset
        /// The minute's place in the row, from 0.
        package var minute: Int
        package var count: Int64
    }

    package enum Content: Equatable, Sendable {
        /// The whole sum up to an offset.
        case sum(RowCounts, upTo: LogOffset)
        /// What comes on top of the stored sum, for the offsets that it doesn't include; ascending by offset.
        case additions([Addition])
    }

    package var key: RowKey
    package var content: Content

    /// The row as it would be stored.
    /// - Parameter stored: what the store has of this row and log, read after this was taken from the aggregator.
    package func merged(with stored: Row?, layout: Layout) -> Row {
        switch content {
        case .sum(let counts, let upTo):
            let row = Row(key: key, counts: counts, upTo: upTo)
            if let stored, !row.replaces(stored) { return stored }
            return row
        case .additions(let additions):
            var row = stored ?? Row(key: key, counts: .zero(layout), upTo: .none)
            let included = row.upTo
            for addition in additions where addition.offset > included {
                row.counts[addition.minute] = row.counts[addition.minute].addingSaturated(addition.count)
                row.upTo = addition.offset
            }
            return row
        }
    }
}
