// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import Foundation
import Glibc
import Synchronization

@testable import TallyBackends

/// A PostgreSQL of a test's own, which it may kill and pause.
final class PostgreSQLServer: Sendable {
    private static let script = SourceFile.packageRoot.appending(path: "Scripts/services/postgresql").path
    private static let database = "postgres://tally:tally-test-secret@127.0.0.1"

    private let sandbox: Sandbox
    private let directory: String
    private let port: Int
    /// With which it takes TLS: the files of its certificate and of the key.
    private let certificate: [String]
    private let process = Mutex<ChildProcess?>(nil)

    var url: String { "\(PostgreSQLServer.database):\(port)/postgres" }
    /// As a store names it.
    var name: String { "postgres://127.0.0.1:\(port)/postgres" }

    init(in sandbox: Sandbox, certificate: [String] = []) throws {
        self.sandbox = sandbox
        self.certificate = certificate
        directory = sandbox.directory.appending("postgresql")
        port = try freePort()
        // The server runs as another user, who has to get in.
        chmod(sandbox.directory.path, 0o755)
    }

    var client: PostgreSQLClient { get throws { PostgreSQLClient(url: try PostgreSQLURL(url)) } }

    /// The first time it makes the database.
    func start() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            let child = try sandbox.start(
                ["run", directory, "\(port)"] + certificate, executable: PostgreSQLServer.script)
            process.withLock { $0 = child }
            // Processes of the one that was killed before may still be on their way out; then this one ends.
            if try await isReady(child) { return }
            // It is not installed.
            if child.report.exit == .code(127) { break }
        }
        throw HarnessError("PostgreSQL doesn't start: \(process.withLock { $0?.report.errorText ?? "" })")
    }

    /// - Returns: false when it has ended instead.
    private func isReady(_ child: ChildProcess) async throws -> Bool {
        let client = try client
        while child.report.exit == nil {
            if (try? await client.texts("SELECT 1 AS one")) == [["1"]] { return true }
            try await Task.sleep(for: .milliseconds(30))
        }
        return false
    }

    /// All of its processes at once, as a crash of the machine does.
    func kill() async throws {
        let child = process.withLock { $0 }
        let sessions = processes(of: child)
        child?.signal(SIGKILL)
        for pid in sessions { Glibc.kill(pid, SIGKILL) }
        _ = try await child?.waitForExit()
    }

    /// It takes connections, since the kernel does, and answers nothing.
    func pause() {
        let child = process.withLock { $0 }
        child?.signal(SIGSTOP)
        for pid in processes(of: child) { Glibc.kill(pid, SIGSTOP) }
    }

    func resume() {
        let child = process.withLock { $0 }
        for pid in processes(of: child) { Glibc.kill(pid, SIGCONT) }
        child?.signal(SIGCONT)
    }

    /// Its sessions and helpers.
    private func processes(of parent: ChildProcess?) -> [pid_t] {
        guard let parent else { return [] }
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { pid_t($0) }.filter { pid in
            // The parent is the second field behind the name, which stands in brackets.
            guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let end = status.lastIndex(of: ")")
            else { return false }
            return status[end...].split(separator: " ").dropFirst(2).first == "\(parent.pid)"
        }
    }
}

/// A port that nobody listens on just now.
func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    guard isBound else { throw HarnessError.system("bind") }
    return Int(UInt16(bigEndian: address.sin_port))
}

#endif
