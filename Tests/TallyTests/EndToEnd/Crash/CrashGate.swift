// SPDX-License-Identifier: Apache-2.0

/// Tells the clients which server to ask, and makes them wait while there is none.
actor CrashGate {
    struct Server: Sendable {
        let client: EndToEndClient
        let generation: Int
        /// Nothing new is to be sent; only what has no answer yet.
        let isLast: Bool
    }

    private let clientCount: Int
    private var server: Server?
    private var generation = 0
    private var isKilling = false
    private var isFinished = false
    private var waitingClients: [CheckedContinuation<Server?, Never>] = []
    private var waitingForIdle: CheckedContinuation<Void, Never>?

    init(clientCount: Int) { self.clientCount = clientCount }

    func open(_ client: EndToEndClient, isLast: Bool = false) {
        generation += 1
        isKilling = false
        server = Server(client: client, generation: generation, isLast: isLast)
        resumeClients()
    }

    /// From now on a request may fail.
    func announceKill() { isKilling = true }

    func finish() {
        isFinished = true
        server = nil
        waitingForIdle?.resume()
        waitingForIdle = nil
        resumeClients()
    }

    /// The server to ask, as soon as there is one; nil when the test is over.
    func current() async -> Server? {
        if server != nil || isFinished { return server }
        return await withCheckedContinuation { continuation in
            waitingClients.append(continuation)
            guard waitingClients.count == clientCount else { return }
            waitingForIdle?.resume()
            waitingForIdle = nil
        }
    }

    /// A request to this server has failed.
    /// - Returns: whether it was about to be killed. Otherwise it had no right to fail.
    func hasFailed(_ failed: Server) -> Bool {
        guard failed.generation == generation else { return true }
        if isKilling { server = nil }
        return isKilling
    }

    /// Returns when no client has a request on its way, after a kill, or the test is over.
    func waitUntilIdle() async {
        server = nil
        if waitingClients.count == clientCount || isFinished { return }
        await withCheckedContinuation { waitingForIdle = $0 }
    }

    private func resumeClients() {
        for client in waitingClients { client.resume(returning: server) }
        waitingClients = []
    }
}
