// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import TallyBackends

/// A ClickHouse of a test's own, which it may kill and pause.
final class ClickHouseServer {
    private let sandbox: Sandbox
    private let kind: ClickHouseTestServer
    private let port: Int
    private(set) var process: ChildProcess

    init(_ kind: ClickHouseTestServer, in sandbox: Sandbox) throws {
        self.sandbox = sandbox
        self.kind = kind
        port = try Sandbox.freePorts(1)[0]
        process = try sandbox.startService(kind.script, in: sandbox.directory.appending("server"), port: port)
    }

    var address: String { "clickhouse://tally:tally-test-secret@127.0.0.1:\(port)/default" }
    var url: ClickHouseURL { get throws { try ClickHouseURL(address) } }

    func waitUntilReady() async throws {
        try await sandbox.waitForService(kind.script, process, in: sandbox.directory.appending("server"), port: port)
    }

    func kill() async throws {
        process.signal(SIGKILL)
        _ = try await process.waitForExit()
    }

    func start() async throws {
        process = try sandbox.startService(kind.script, in: sandbox.directory.appending("server"), port: port)
        try await waitUntilReady()
    }

    func killAndStart() async throws {
        try await kill()
        try await start()
    }
}

extension ClickHouseTestServer {
    /// - Parameter body: gets a server that answers, and that is gone afterwards.
    func withServer(_ body: (Sandbox, ClickHouseServer) async throws -> Void) async throws {
        _ = try address()
        try await withSandbox { sandbox in
            let server = try ClickHouseServer(self, in: sandbox)
            try await server.waitUntilReady()
            try await body(sandbox, server)
        }
    }

    /// In `Scripts/services`.
    var script: String {
        switch self {
        case .old: "clickhouse"
        case .modern: "clickhouse-modern"
        }
    }
}
