// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A database that everybody shares. What it keeps is safe; its answers are not.
struct SimulatedStore {
    let layout: Layout
    var counts = StoredCounts()
    var isAway = false
    var backup: StoredCounts?

    func answer(to request: StoreCall.Request, of log: LogID) -> StoreReply {
        switch request {
        case .checkpoint: .checkpoint(counts.checkpoint(of: log))
        case .rows(let keys): .rows(counts.rows(of: log, at: keys))
        case .range(let range): .range(counts.rows(in: range, layout: layout))
        case .merge, .note, .save: .done
        }
    }
}

/// A request on its way to the store.
struct StoreCall {
    enum Request {
        case checkpoint
        case rows([RowKey])
        case range(RowRange)
        case merge([Row])
        case note([Sighting])
        case save(Checkpoint)
    }

    let id: Int
    let counting: CountingID
    let log: LogID
    let request: Request
    /// It was held up once.
    var isLate = false
}

enum StoreReply {
    case checkpoint(Checkpoint?)
    case rows([Row])
    case range([StoredRow])
    case done
    case failed
}
