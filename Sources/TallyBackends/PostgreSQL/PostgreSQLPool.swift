// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import Synchronization

/// A few connections, each on a thread of its own since libpq blocks. They are made when they are needed for the first time,
/// and again when they broke.
final class PostgreSQLPool: Sendable {
    private struct State {
        /// The one that was used last is used next: a quiet server has one connection.
        var idle: [PostgreSQLSession]
        var waiting: [CheckedContinuation<PostgreSQLSession, Never>] = []
    }

    private let sessions: [PostgreSQLSession]
    private let state: Mutex<State>

    /// - Parameters:
    ///   - limit: of the time that one statement may take.
    ///   - greet: is run first on each new connection.
    init(
        url: PostgreSQLURL, size: Int, limit: Duration,
        greet: @escaping @Sendable (PostgreSQLConnection) throws(PostgreSQLFailure) -> Void
    ) {
        sessions = (0..<size).map { _ in PostgreSQLSession(url: url.text, limit: limit, greet: greet) }
        state = Mutex(State(idle: sessions))
    }

    /// Runs `body` on a connection; again, when it broke before anything was asked, or when two writers collided. So `body` must
    /// do no harm when it is done twice.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (PostgreSQLConnection) throws(PostgreSQLFailure) -> Value
    ) async throws(PostgreSQLFailure) -> Value {
        let session = await take()
        defer { give(back: session) }
        return try await session.run(body)
    }

    /// Ends all connections; they would be made anew by another `run`.
    func close() async { for session in sessions { await session.close() } }

    private func take() async -> PostgreSQLSession {
        await withCheckedContinuation { continuation in
            let session = state.withLock { state -> PostgreSQLSession? in
                guard let session = state.idle.popLast() else {
                    state.waiting.append(continuation)
                    return nil
                }
                return session
            }
            if let session { continuation.resume(returning: session) }
        }
    }

    private func give(back session: PostgreSQLSession) {
        let next = state.withLock { state -> CheckedContinuation<PostgreSQLSession, Never>? in
            guard !state.waiting.isEmpty else {
                state.idle.append(session)
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume(returning: session)
    }
}

/// A connection and its thread.
actor PostgreSQLSession {
    /// How often writers that collide are sent back before it is an error.
    private static let collisions = 10

    private nonisolated let executor = BlockingExecutor()
    private let url: String
    private let limit: Duration
    private let greet: @Sendable (PostgreSQLConnection) throws(PostgreSQLFailure) -> Void
    private var connection: PostgreSQLConnection?

    init(
        url: String, limit: Duration,
        greet: @escaping @Sendable (PostgreSQLConnection) throws(PostgreSQLFailure) -> Void
    ) {
        self.url = url
        self.limit = limit
        self.greet = greet
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func run<Value: Sendable>(
        _ body: @Sendable (PostgreSQLConnection) throws(PostgreSQLFailure) -> Value
    ) throws(PostgreSQLFailure) -> Value {
        let isNew = connection == nil
        do throws(PostgreSQLFailure) {
            return try attempt(body)
        } catch .disconnected where !isNew {
            // The server was started anew since the last statement, or somebody ended the connection.
            return try attempt(body)
        }
    }

    func close() { connection = nil }

    private func attempt<Value: Sendable>(
        _ body: @Sendable (PostgreSQLConnection) throws(PostgreSQLFailure) -> Value
    ) throws(PostgreSQLFailure) -> Value {
        for _ in 1..<PostgreSQLSession.collisions {
            do throws(PostgreSQLFailure) {
                return try once(body)
            } catch {
                guard error.isCollision else { throw error }
            }
        }
        return try once(body)
    }

    private func once<Value: Sendable>(
        _ body: @Sendable (PostgreSQLConnection) throws(PostgreSQLFailure) -> Value
    ) throws(PostgreSQLFailure) -> Value {
        let connection = try connected()
        defer { if !connection.isUsable { self.connection = nil } }
        return try body(connection)
    }

    private func connected() throws(PostgreSQLFailure) -> PostgreSQLConnection {
        if let connection { return connection }
        let new = try PostgreSQLConnection(url: url, limit: limit)
        try greet(new)
        connection = new
        return new
    }
}

#endif
