// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What an event loop needs to let events in by itself.
struct LaneIntake: Sendable {
    let admission: Admission
    let ingest: Ingest
}

/// How the lane of an event loop is told what became of its turns.
package struct LaneAddress: Sendable {
    /// The lane's.
    let number: Int
    /// So many turns, the oldest of those that were handed over, have this result. Called on any thread, in this order.
    let finished: @Sendable (Int, Result<Receipt, IngestError>) -> Void
}
