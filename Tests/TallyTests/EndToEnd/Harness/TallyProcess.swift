// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A running `tally serve` on a port of its own.
struct TallyProcess: Sendable {
    let process: ChildProcess
    let port: Int
    let client: EndToEndClient

    /// The port from the line that says where the server listens.
    init(_ process: ChildProcess) async throws {
        self.process = process
        port = try await process.wait(for: "`listening on http://127.0.0.1:PORT`") { report in
            report.errorText.firstMatch(of: /listening on http:\/\/127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
        }
        client = EndToEndClient(port: port)
    }

    var errors: String { process.report.errorText }

    func waitUntilReady() async throws {
        let client = client
        try await eventually("/readyz answers 200") { try await client.get("/readyz").status == 200 }
    }

    /// As a power cut would, as far as the process can tell.
    func kill() async throws {
        process.signal(SIGKILL)
        _ = try await process.waitForExit()
    }

    /// Asks it to stop, and waits until it has.
    func terminate(signal: Int32 = SIGTERM, within limit: Duration = .seconds(10)) async throws -> ChildProcess.Exit {
        process.signal(signal)
        return try await process.waitForExit(within: limit)
    }
}

extension Sandbox {
    /// Starts the server and waits until it accepts events.
    func serve(_ options: String..., data: String? = nil) async throws -> TallyProcess {
        try await serve(options: options, data: data)
    }

    func serve(options: [String], data: String? = nil) async throws -> TallyProcess {
        let tally = try await TallyProcess(startServer(options: options, data: data))
        try await tally.waitUntilReady()
        return tally
    }

    /// Starts the server on a free port and waits for nothing.
    func startServer(_ options: String..., data: String? = nil) throws -> ChildProcess {
        try startServer(options: options, data: data)
    }

    func startServer(options: [String], data: String? = nil) throws -> ChildProcess {
        let listen = options.contains("--listen") ? [] : ["--listen", "127.0.0.1:0"]
        return try start(["serve", "--data", data ?? self.data] + listen + options)
    }
}

/// Asks again and again until the answer is yes. For what can't announce itself: an answer over HTTP, a file.
/// - Parameter pause: between two questions, so that asking doesn't take the processor from who has to do the work.
/// - Throws: `HarnessError` with the last error when the time is up.
func eventually(
    _ what: String, within limit: Duration = .seconds(90), every pause: Duration = .milliseconds(5),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    var last = "it stayed false"
    repeat {
        do {
            if try await condition() { return }
            last = "it stayed false"
        } catch {
            last = "\(error)"
        }
        try await Task.sleep(for: pause)
    } while ContinuousClock.now < deadline
    throw HarnessError("waited in vain until \(what): \(last)")
}
