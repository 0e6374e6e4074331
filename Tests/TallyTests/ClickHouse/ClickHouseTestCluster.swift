// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TallyCore
import Testing

@testable import TallyBackends

/// Real servers that are the cluster `tally`, with a ZooKeeper; of 18.16, since there is no modern server for tests.
final class ClickHouseTestCluster: Sendable {
    private struct Machine: Sendable {
        let directory: String
        let port: Int
        let arguments: [String]
    }

    private let sandbox: Sandbox
    private let machines: [Machine]
    private let processes = Mutex<[ChildProcess?]>([])

    /// - Parameters:
    ///   - shards: a word for each, in which each machine of it is a letter or digit: `0 1` are two shards of one machine each, `ab` is
    ///     one of two replicas.
    static func use(_ shards: String, _ body: (ClickHouseTestCluster) async throws -> Void) async throws {
        _ = try ClickHouseTestServer.old.address()
        try await withSandbox { sandbox in
            let keeper = sandbox.directory.appending("zookeeper")
            let keeperPort = try Sandbox.freePorts(1)[0]
            let process = try sandbox.startService("zookeeper", in: keeper, port: keeperPort)
            try await sandbox.waitForService("zookeeper", process, in: keeper, port: keeperPort)
            let cluster = try ClickHouseTestCluster(shards, keeperPort: keeperPort, in: sandbox)
            for index in cluster.machines.indices { try await cluster.start(index) }
            try await body(cluster)
        }
    }

    private init(_ shards: String, keeperPort: Int, in sandbox: Sandbox) throws {
        self.sandbox = sandbox
        let shards = shards.split(separator: " ").map { $0.map(String.init) }
        let count = shards.joined().count
        let ports = try Sandbox.freePorts(3 * count).map(String.init)
        var description: [String] = []
        var machines: [Machine] = []
        for (shard, replicas) in shards.enumerated() {
            let first = machines.count
            description.append(ports[count + first..<count + first + replicas.count].joined(separator: ","))
            for replica in replicas {
                let index = machines.count
                let arguments = [ports[count + index], ports[2 * count + index], "\(shard)", replica, "\(keeperPort)"]
                machines.append(
                    Machine(
                        directory: sandbox.directory.appending("machine\(index)"), port: Int(ports[index]) ?? 0,
                        arguments: arguments))
            }
        }
        let all = description.joined(separator: " ")
        self.machines = machines.map {
            Machine(directory: $0.directory, port: $0.port, arguments: $0.arguments + [all])
        }
        processes.withLock { $0 = Array(repeating: nil, count: machines.count) }
    }

    func start(_ index: Int) async throws {
        let machine = machines[index]
        let process = try sandbox.startService(
            "clickhouse", in: machine.directory, port: machine.port, machine.arguments)
        processes.withLock { $0[index] = process }
        try await sandbox.waitForService("clickhouse", process, in: machine.directory, port: machine.port)
    }

    func kill(_ index: Int) async throws {
        let process = processes.withLock { $0[index] }
        process?.signal(SIGKILL)
        _ = try await process?.waitForExit()
    }

    private func url(_ index: Int, database: String, _ rest: String = "") throws -> ClickHouseURL {
        try ClickHouseURL(
            "clickhouse://tally:tally-test-secret@127.0.0.1:\(machines[index].port)/\(database)\(rest)")
    }

    /// A store that asks this machine; its database has to be there.
    func store(
        _ layout: Layout, database: String = "default", through index: Int, timeout: Duration = .seconds(30)
    ) throws -> ClickHouseStore {
        ClickHouseStore(
            try url(index, database: database, "?cluster=tally"), layout: layout, timeout: timeout,
            readsBackAlways: true)
    }

    /// - Parameter body: gets an empty store, in a database that is made on all machines.
    func withStore(
        _ layout: Layout, database: String, _ body: (ClickHouseStore) async throws -> Void
    ) async throws {
        _ = try await ask("CREATE DATABASE \(database)")
        let store = try store(layout, database: database, through: 0)
        do {
            try await body(store)
            try await store.close()
        } catch {
            try? await store.close()
            throw error
        }
    }

    /// - Returns: what each machine says, without the last line feed.
    func ask(_ sql: String) async throws -> [String] {
        var answers: [String] = []
        for index in machines.indices { answers.append(try await ask(sql, of: index)) }
        return answers
    }

    func ask(_ sql: String, of index: Int) async throws -> String {
        let answer = try await ClickHouseTestServer.run(.definition(sql), on: url(index, database: "default"))
        return answer.trimmingCharacters(in: .newlines)
    }
}
