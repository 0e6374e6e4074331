// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import TallyServer

struct LiveStreamEndTests {
    /// Nothing is sent meanwhile, so that no failed write tells it.
    @Test(arguments: [true, false], ["", "?banner=7"])
    func `a stream ends when its client closes the connection`(half: Bool, query: String) async throws {
        let test = HTTPTest()
        let live = test.service.live
        try await RunningRoutes.serving(test) { port in
            let client = try await RawClient.connect(port)
            try await client.writeAndFlush(ByteBuffer(string: "GET /v1/live\(query) HTTP/1.1\r\nHost: x\r\n\r\n"))
            while live.count == 0 { try await Task.sleep(for: .milliseconds(2)) }
            try await client.close(mode: half ? .output : .all)
            while live.count > 0 { try await Task.sleep(for: .milliseconds(2)) }
        }
    }
}
