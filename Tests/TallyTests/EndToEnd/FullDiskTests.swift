// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEndTests {
    @Suite("A full disk is told to the sender and survived", .timeLimit(.minutes(5)))
    struct FullDiskTests {
        @Test("what has no room gets 503 and isn't counted; with room again it goes on by itself")
        func fullDisk() async throws {
            try await withSandbox { sandbox in
                let (tally, disk) = try await sandbox.serveOnSmallDisk(size: "8m")
                var sender = Sender(client: tally.client)
                try await sender.send()
                try disk.fill()

                let refusal = try await sender.sendUntilRefused()
                #expect(refusal.status == 503)
                #expect(refusal.header("Retry-After") != nil)
                #expect(refusal.text.lowercased().contains("space"), "\(refusal.text)")
                #expect(try await tally.client.total(of: 7) == sender.acknowledged)
                let refusals = try await tally.client.metric("tally_http_refusals_total")
                #expect(try #require(refusals) >= 1)

                let notReady = try await tally.client.get("/readyz")
                #expect(notReady.status == 503 && notReady.text.lowercased().contains("space"), "\(notReady.text)")
                #expect(try await tally.client.get("/readyz?role=query").status == 200)

                try disk.makeRoom()
                // Without an event: a balancer sends none to a server that is not ready.
                try await eventually("it is ready again") { try await tally.client.get("/readyz").status == 200 }
                try await eventually("it takes events again") { try await sender.trySending() }
                #expect(try await tally.client.total(of: 7) == sender.acknowledged)
                #expect(try await tally.client.get("/readyz").status == 200)
                #expect(tally.process.report.exit == nil)
            }
        }
    }

    /// Sends batches of events that may never be counted when they are refused.
    private struct Sender {
        let client: EndToEndClient
        var acknowledged = 0
        private var sent = 0

        init(client: EndToEndClient) { self.client = client }

        mutating func send() async throws {
            guard try await trySending() else { throw HarnessError("a batch was refused") }
        }

        mutating func trySending() async throws -> Bool {
            try await answer().status == 200
        }

        /// The segment in use has room for a while.
        mutating func sendUntilRefused() async throws -> EndToEndClient.Answer {
            for _ in 1...500 {
                let answer = try await answer()
                if answer.status != 200 { return answer }
            }
            throw HarnessError("a full disk refused nothing")
        }

        private mutating func answer() async throws -> EndToEndClient.Answer {
            let lines = (1...500).map { #"{"banner":7,"id":"\#(sent + $0)"}"# }
            sent += lines.count
            let answer = try await client.post(events: lines)
            if answer.status == 200 { acknowledged += lines.count }
            return answer
        }
    }
}

/// A file system of a few megabytes that only the server and its children see. It goes when they do.
private struct SmallDisk {
    /// The test sees it through the server's eyes.
    let path: String

    private var filler: String { "\(path)/filler" }

    func fill() throws {
        let file = open(filler, O_WRONLY | O_CREAT, 0o600)
        guard file >= 0 else { throw HarnessError.system("open \(filler)") }
        defer { close(file) }
        let block = [UInt8](repeating: 1, count: 4096)
        while write(file, block, block.count) > 0 {}
        guard errno == ENOSPC else { throw HarnessError.system("write \(filler)") }
    }

    func makeRoom() throws {
        guard unlink(filler) == 0 else { throw HarnessError.system("unlink \(filler)") }
    }
}

extension Sandbox {
    /// Needs a mount of its own. Where that isn't permitted the test is skipped, and says so.
    fileprivate func serveOnSmallDisk(size: String) async throws -> (TallyProcess, SmallDisk) {
        let user = getuid() == 0 ? [] : ["--map-root-user"]
        let mount = #"mkdir -p "$1" && mount -t tmpfs -o size="$2" tally-test "$1""#
        func unshare(_ script: String) throws -> ChildProcess {
            let shell = ["/bin/sh", "-c", script, "sh", data, size, Sandbox.executable]
            return try start(["--mount"] + user + shell, executable: "/usr/bin/unshare")
        }
        let trial = try unshare(mount)
        guard try await trial.waitForExit() == .code(0) else {
            try Test.cancel("no file system of its own may be mounted here: \(trial.report.errorText)")
        }
        let options = "--listen 127.0.0.1:0 --segment-size 1MiB --flush-every 1h"
        let tally = try await TallyProcess(try unshare(mount + #" && exec "$3" serve --data "$1" "# + options))
        try await tally.waitUntilReady()
        return (tally, SmallDisk(path: "/proc/\(tally.process.pid)/root\(data)"))
    }
}
