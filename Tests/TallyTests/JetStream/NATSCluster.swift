// SPDX-License-Identifier: Apache-2.0

#if JetStream

import Foundation
import Synchronization
import TallyBackends
import Testing

/// Three nats-servers of this test alone, which it can kill, stop and start again.
final class NATSCluster: Sendable {
    static let program = TestServers.variable("TALLY_TEST_NATS_SERVER")

    private let directory: DiskTestDirectory
    private let nodes: Mutex<[ChildProcess?]>
    private let ports: [Int]

    init() throws {
        directory = try DiskTestDirectory()
        ports = try NATSCluster.freePorts(6)
        nodes = Mutex([nil, nil, nil])
        for node in 0..<3 { try start(node) }
    }

    var servers: String { ports[..<3].map { "127.0.0.1:\($0)" }.joined(separator: ",") }

    func start(_ node: Int) throws {
        let routes = ports[3...].map { "nats://127.0.0.1:\($0)" }.joined(separator: ", ")
        try directory.write(
            """
            host: 127.0.0.1
            port: \(ports[node])
            server_name: node-\(node)
            jetstream { store_dir: "\(directory.path)/\(node)" }
            cluster { name: test, host: 127.0.0.1, port: \(ports[3 + node]), routes: [ \(routes) ] }
            """, to: "\(node).conf")
        let process = try ChildProcess(
            executable: try #require(NATSCluster.program), arguments: ["-c", "\(directory.path)/\(node).conf"],
            environment: [:])
        nodes.withLock { $0[node] = process }
    }

    func signal(_ node: Int, _ number: Int32) { nodes.withLock { $0[node] }?.signal(number) }

    func kill(_ node: Int) async throws {
        signal(node, SIGKILL)
        _ = try await nodes.withLock { $0[node] }?.waitForExit()
    }

    /// Waits until the servers have found each other and chosen a leader.
    func logs(_ stream: String = "t", _ query: String = "partitions=1") async throws -> JetStreamLogs {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                return try await JetStreamLogs.open(JetStreamURL("nats://\(servers)/\(stream)?\(query)"))
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
            }
        }
    }

    private static func freePorts(_ count: Int) throws -> [Int] {
        let sockets = (0..<count).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { for socket in sockets { close(socket) } }
        return try sockets.map { descriptor in
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            return try withUnsafeMutablePointer(to: &address) { pointer in
                try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    guard bind(descriptor, generic, length) == 0, getsockname(descriptor, generic, &length) == 0
                    else { throw HarnessError.system("bind") }
                }
                return Int(UInt16(bigEndian: pointer.pointee.sin_port))
            }
        }
    }
}

#endif
