// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What an event loop needs to let events in by itself.
package struct LaneIntake: Sendable {
    let admission: Admission
    let ingest: any LaneIngest
    /// Of the log; nil when it is one.
    let partitioning: Partitioning?

    /// Which part of a turn's outcome the events of this banner have.
    func partition(of banner: BannerID) -> Int { partitioning?.partition(of: banner) ?? 0 }
}

/// Takes what event loops have gathered.
protocol LaneIngest: Sendable {
    /// Takes the sums of a turn. Its lane is told what became of them, on whatever thread.
    /// - Returns: why nothing of it will be counted; nil when it was taken.
    func take(_ sums: LaneSums, _ newcomers: Newcomers, from lane: LaneAddress, turn: Int) -> IngestError?

    /// So many events were not made durable.
    func noteRefused(_ events: Int)
}

/// How the lane of an event loop is told what became of its turns.
package struct LaneAddress: Sendable {
    /// The lane's.
    let number: Int
    /// These turns have ended so. Called on any thread.
    let finished: @Sendable ([Int], TurnOutcome) -> Void
}

/// What became of a turn.
enum TurnOutcome: Sendable {
    /// Of all of it the same.
    case whole(Result<Receipt, IngestError>)
    /// Of the events in each of these partitions.
    case parts([(partition: Int, result: Result<Receipt, IngestError>)])

    /// Of all events.
    var isSuccess: Bool {
        func isSuccess(_ result: Result<Receipt, IngestError>) -> Bool {
            if case .success = result { true } else { false }
        }
        return switch self {
        case .whole(let result): isSuccess(result)
        case .parts(let parts): parts.allSatisfy { isSuccess($0.result) }
        }
    }

    func result(of partition: Int) -> Result<Receipt, IngestError> {
        switch self {
        case .whole(let result): return result
        case .parts(let parts):
            guard let part = parts.first(where: { $0.partition == partition }) else {
                preconditionFailure("a turn has an outcome in each partition that it has events in")
            }
            return part.result
        }
    }
}
