// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore
import Testing

@testable import tally

/// An export from a server that does not answer everything at once.
struct ExportRunTests {
    private func export(
        at url: ServerURL, columns: String, banners: [BannerID] = []
    ) async throws -> String {
        let from = try WrittenTime("2024-12-12T10:00").minute
        let writer = ExportWriter(format: .csv, columns: try ExportColumn.list(from: columns))
        let request = ExportRequest(
            range: from..<from.advanced(by: 120), kinds: [], banners: banners, writer: writer, hasHeader: true)
        var text = ""
        try await TallyClient.with(url, retries: RetrySchedule(patience: .seconds(5))) { client in
            try await ExportRun(client: client, request: request).run { text += $0 }
        }
        return text
    }

    /// 1,200 banners in one minute, and one banner in each of 100 others.
    private func server() throws -> FakeTallyServer {
        let server = FakeTallyServer()
        let first = try WrittenTime("2024-12-12T10:00").minute
        server.state.withLock { state in
            state.names = (1...1_200).map { "/\($0)" }
            for id in 1...Int64(1_200) {
                state.counts[.init(banner: BannerID(id)!, kind: .click, minute: first.advanced(by: 7))] = id
            }
            for minute in 10..<Int64(110) {
                state.counts[.init(banner: BannerID(5)!, kind: .click, minute: first.advanced(by: minute))] = minute
            }
        }
        return server
    }

    @Test(arguments: ["minute,banner,count", "name,count", "kind,count"])
    func `what the server does not answer at once is asked for in smaller windows, and some banners at a time`(
        columns: String
    ) async throws {
        let server = try server()
        try await server.serving { url in
            let whole = try await export(at: url, columns: columns)
            #expect(whole.contains(columns == "kind,count" ? "click,726550" : "\n"))
            server.state.withLock { $0.rowsLimit = 600 }
            #expect(try await export(at: url, columns: columns) == whole)
        }
    }

    @Test func `one banner of one minute with too many rows is a failure that says so`() async throws {
        let server = try server()
        try await server.serving { url in
            server.state.withLock { $0.rowsLimit = 0 }
            await #expect(throws: CommandFailure.failed("\(url): No: too many rows")) {
                try await export(at: url, columns: "banner,count", banners: [BannerID(5)!])
            }
        }
    }
}
