// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Starts servers of one log and store, lets events in and waits for them.
struct RemoteServers {
    let sandbox: Sandbox
    let store: String
    let log: String

    static let banners = 1...20

    struct Totals: Decodable {
        let total: Int
    }

    func with(store: String? = nil, log: String? = nil) -> RemoteServers {
        RemoteServers(sandbox: sandbox, store: store ?? self.store, log: log ?? self.log)
    }

    func start(_ roles: String, _ more: String...) async throws -> TallyProcess {
        try await start(roles, more)
    }

    private func start(_ roles: String, _ more: [String]) async throws -> TallyProcess {
        try await sandbox.serve(options: options(roles) + more, data: newData)
    }

    /// Returns as soon as requests can be sent.
    func startWithoutWaiting(_ roles: String) async throws -> TallyProcess {
        try await TallyProcess(sandbox.startServer(options: options(roles), data: newData))
    }

    private func options(_ roles: String) -> [String] { ["--roles", roles, "--log", log, "--store", store] }

    /// A process has a directory of its own.
    private var newData: String { sandbox.directory.appending("data-\(UUID())") }

    func startQuery(asking servers: [TallyProcess]) async throws -> TallyProcess {
        let addresses = servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        return try await start("query", servers.isEmpty ? [] : ["--aggregators", addresses])
    }

    func click(_ server: TallyProcess, times: Int) async throws {
        for banner in Self.banners { try await server.client.click(banner, times: times) }
    }

    /// Waits until the answer lacks nothing and has so many clicks of each banner; it never has more.
    func waitForAll(_ clicks: Int, _ server: TallyProcess) async throws {
        try await eventually("all is answered", within: .seconds(90), every: .milliseconds(50)) {
            let answer = try await server.client.get("/v1/totals")
            let total = try answer.json(Totals.self).total
            #expect(answer.status == 200 && total <= clicks * Self.banners.count)
            return answer.header("Tally-Behind") == nil && total == clicks * Self.banners.count
        }
        for banner in Self.banners { #expect(try await server.client.total(of: banner) == clicks) }
    }
}
