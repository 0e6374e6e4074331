// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A computer with a disk and a clock, on which a server runs most of the time.
final class Machine {
    let index: Int
    let role: Swarm.Role
    var disk = SimulatedDisk()
    var clock = SimulatedClock()
    var process: Process?
    /// How often a process was started.
    var incarnation = 0
    /// The network doesn't reach it.
    var isUnreachable = false
    var isStoreUnreachable = false
    var areBrokersUnreachable = false
    /// It has not heard of the last change of its partitions.
    var hasMissedAssignment = false
    /// Bits were flipped, or a write went astray, since its journal was made.
    var damage = Damage.none
    /// An old copy of its journal, made while no process ran.
    var backup: SimulatedDisk?
    /// The journal of before an old copy was put in its place.
    var replacedDisk: SimulatedDisk?

    /// What its servers are started with instead of the settings of the deployment, by mistake.
    var otherSettings: CountingSettings?

    enum Damage: Equatable {
        case none
        /// So many single bytes behind the header of a segment.
        case bytes(Int)
        /// Anything.
        case wide

        /// A batch that was hit can't be told from one that a crash cut short, when all behind it were hit too: so many
        /// may be gone from the end without a word.
        var batches: Int {
            switch self {
            case .none: 0
            case .bytes(let count): count
            case .wide: .max
            }
        }
    }

    init(index: Int, role: Swarm.Role) {
        self.index = index
        self.role = role
    }
}
