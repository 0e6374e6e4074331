// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallySimulator

/// Everything that chance decides in a crash test, drawn from one seed.
struct CrashPlan {
    /// When the server is killed.
    enum Moment: CustomStringConvertible {
        /// In the midst of traffic.
        case afterAcknowledgements(Int, pause: Duration)
        /// The server flushes at whole seconds; the offset from one may be negative.
        case aroundFlush(offset: Duration)
        /// Counted from the start of the process, whether or not it is ready by then.
        case whileStarting(pause: Duration)

        var description: String {
            switch self {
            case .afterAcknowledgements(let count, let pause): "\(pause) after \(count) acknowledgements"
            case .aroundFlush(let offset): "\(offset) from a flush"
            case .whileStarting(let pause): "\(pause) after the start"
            }
        }
    }

    let seed: UInt64
    private var random: SeededGenerator

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
    }

    /// From `TALLY_SEED`, or a new one.
    static func seedOfThisRun() throws -> UInt64 {
        guard let text = ProcessInfo.processInfo.environment["TALLY_SEED"] else { return .random(in: .min ... .max) }
        guard let seed = UInt64(text) else { throw HarnessError("TALLY_SEED is '\(text)'; it must be a whole number") }
        return seed
    }

    mutating func nextMoment() -> Moment {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<6:
            .afterAcknowledgements(
                .random(in: 0...200, using: &random), pause: .microseconds(Int.random(in: 0...3000, using: &random)))
        case 6..<8: .aroundFlush(offset: .microseconds(Int.random(in: -2000...20_000, using: &random)))
        default: .whileStarting(pause: .microseconds(Int.random(in: 0...100_000, using: &random)))
        }
    }

    /// For one client; it draws the same whatever the others do.
    mutating func fork() -> SeededGenerator { SeededGenerator(seed: random.next()) }
}
