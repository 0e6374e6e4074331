// SPDX-License-Identifier: Apache-2.0

package import ServiceLifecycle

/// What a process runs behind its HTTP face.
package protocol RunningNode: CountingService {
    /// In the order of their start; they stop in reverse.
    var services: [any Service] { get }

    /// The way in for event loops that gather events themselves; nil where none is let in.
    var laneIntake: LaneIntake? { get }

    func report(to registry: MetricsRegistry)
}
