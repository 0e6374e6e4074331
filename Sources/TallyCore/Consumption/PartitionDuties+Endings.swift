// SPDX-License-Identifier: Apache-2.0

/// What an error means for a partition.
extension PartitionDuties.Ending {
    /// It could not begin.
    package init(_ error: StartError) {
        switch error {
        case .store(.unavailable(let reason)): self = .failed(reason)
        case .log(let error): self = PartitionDuties.Ending(whileReading: error) ?? .failed(error.description)
        // A log's new leader may not know of its end yet; nothing is counted meanwhile.
        case .logBehindStore: self = .failed("\(error)")
        // Another process may have counted on, and let the log drop it, since the checkpoint was read.
        case .storeBehindLog: self = .outrun("\(error)")
        case .store(.damaged), .store(.tooManyRows), .otherLog, .otherSettings, .storeReplaced:
            self = .stopped("\(error)")
        }
    }

    /// nil when it is to be read again.
    package init?(whileReading error: LogError) {
        switch error {
        case .refused, .unavailable, .failed: return nil
        case .trimmed: self = .outrun(error.description)
        case .damaged(let reason): self = .stopped(reason)
        }
    }
}
