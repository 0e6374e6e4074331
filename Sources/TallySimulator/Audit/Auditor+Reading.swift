// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Where a log ended at the moments that a reader may claim to have caught up with.
extension Auditor {
    func noteEnd(_ end: LogOffset, at time: Duration, for id: CountingID) { readers[id]?.ends[time] = end.value }

    /// A reader says that everything that was in the log at this time is counted.
    func checkCatchUp(with time: Duration, _ id: CountingID) {
        guard let reader = readers[id] else { return }
        guard let end = reader.ends[time] else {
            return require(false, "a reader caught up with a time that it never saw")
        }
        require(
            reader.position >= end, "a reader has caught up with offset \(end), and has read up to \(reader.position)")
        readers[id]?.ends = reader.ends.filter { $0.key >= time }
    }
}
