// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A log in memory whose appends wait until a test lets them go on, or end as it says.
actor GatedLog: EventLog {
    nonisolated let id = LogID("gated")!
    nonisolated let durability = Durability.memory
    private let inner = MemoryLog(id: LogID("gated")!)
    private var isOpen: Bool
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var failure: LogError?
    /// Chunks of each append so far, also of those that wait.
    private(set) var appends: [[Chunk]] = []

    init(isOpen: Bool = false) { self.isOpen = isOpen }

    /// Every append ends like this from now on.
    func fail(_ error: LogError?) { failure = error }

    func open() {
        isOpen = true
        letOneGo(all: true)
    }

    /// One of the appends that wait, the oldest.
    func letOneGo() { letOneGo(all: false) }

    private func letOneGo(all: Bool) {
        let going = all ? waiting : Array(waiting.prefix(1))
        waiting.removeFirst(going.count)
        for continuation in going { continuation.resume() }
    }

    var waitingAppends: Int { waiting.count }

    func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset] {
        appends.append(chunks)
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
        if let failure { throw failure }
        return try await inner.append(chunks)
    }

    func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry] {
        try await inner.read(from: offset, maximumBytes: maximumBytes)
    }

    func end() async throws(LogError) -> LogOffset { try await inner.end() }

    func trim(before offset: LogOffset) async throws(LogError) { try await inner.trim(before: offset) }
}
