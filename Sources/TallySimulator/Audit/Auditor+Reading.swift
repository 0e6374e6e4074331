// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The ends that a log had at the times up to which a reader may claim to have counted it.
extension Auditor {
    func noteEnd(_ end: LogOffset, at time: Duration, for id: CountingID) { readers[id]?.ends[time] = end.value }

    /// A reader claims to have counted everything that the log held at this time.
    func checkCatchUp(with time: Duration, _ id: CountingID) {
        guard let reader = readers[id] else { return }
        guard let end = reader.ends[time] else {
            return require(false, "a reader has caught up with a time at which it did not look")
        }
        require(
            reader.position >= end, "a reader has caught up with offset \(end), and has read up to \(reader.position)")
        readers[id]?.ends = reader.ends.filter { $0.key >= time }
    }
}
