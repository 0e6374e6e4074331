// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Servers of the test's own, which it may kill, pause and start again.
extension Sandbox {
    /// Starts `Scripts/services/NAME run`, which becomes the server, so that signals reach it; waits for nothing.
    /// - Parameters:
    ///   - more: what follows the directory and the port.
    ///   - verb: instead of `run`, which of its ways to run it.
    func startService(
        _ name: String, in directory: String, port: Int, _ more: [String] = [], verb: String = "run"
    ) throws -> ChildProcess {
        let inherited = ProcessInfo.processInfo.environment.filter { $0.key == "TALLY_CLICKHOUSE_MODERN" }
        return try start(
            [verb, directory, String(port)] + more, executable: Sandbox.script(of: name), environment: inherited)
    }

    /// Waits until the script says that the server answers.
    /// - Throws: `HarnessError` with what the server wrote when it ends instead, and so at once when it is not installed.
    func waitForService(
        _ name: String, _ process: ChildProcess, in directory: String, port: Int
    ) async throws {
        try await eventually("\(name) answers or ends", within: .seconds(60), every: .milliseconds(100)) {
            if process.report.exit != nil { return true }
            let ready = try start(["ready", directory, String(port)], executable: Sandbox.script(of: name))
            return try await ready.waitForExit() == .code(0)
        }
        if let exit = process.report.exit {
            throw HarnessError("\(name) does not start; it ended with \(exit): \(process.report.errorText)")
        }
    }

    private static func script(of service: String) -> String {
        SourceFile.packageRoot.appending(path: "Scripts/services/\(service)").path
    }

    /// Ports that nobody listens on just now.
    static func freePorts(_ count: Int) throws -> [Int] {
        // All are held until the last is found, so that none comes twice.
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        return try (0..<count).map { _ in
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard socket >= 0 else { throw HarnessError.system("socket") }
            sockets.append(socket)
            return try port(boundTo: socket)
        }
    }

    private static func port(boundTo socket: Int32) throws -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, length) == 0 && getsockname(socket, generic, &length) == 0
            }
        }
        guard result else { throw HarnessError.system("bind") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
