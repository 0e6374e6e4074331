// SPDX-License-Identifier: Apache-2.0

/// What a log was counted from while the store was away, and whether the store, when it is back, belongs to it.
package struct StoreAgreement: Equatable, Sendable {
    package let log: LogID
    /// Where counting began: a checkpoint that the store had before.
    package let checkpoint: Checkpoint
    /// The log's end at that time.
    package let end: LogOffset
    /// What it is counted with.
    package let settings: CountingSettings

    package init(log: LogID, checkpoint: Checkpoint, end: LogOffset, settings: CountingSettings) {
        self.log = log
        self.checkpoint = checkpoint
        self.end = end
        self.settings = settings
    }

    /// - Parameter stored: the store's checkpoint of the log.
    /// - Returns: why nothing may be written to the store; nil when all is well.
    package func refusal(stored: Checkpoint?) -> StartError? {
        let upTo = stored?.upTo ?? .none
        if upTo > end { return .logBehindStore(log: log, end: end, checkpoint: upTo) }
        if upTo < checkpoint.upTo {
            return .storeReplaced(log: log, checkpoint: upTo, before: checkpoint.upTo)
        }
        return settings.refusal(of: log, countedWith: stored?.settings)
    }
}
