// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import TallyCore
import Testing

@testable import TallyServer

@Suite("Plain requests over a log of several partitions")
struct HotPartitionTests {
    private static let partitioning = Partitioning(count: 4)!

    private func request(_ banner: Int) -> String { "GET /counter/\(banner) HTTP/1.1\r\nHost: a\r\n\r\n" }

    private func partition(_ banner: Int) -> Int { Self.partitioning.partition(of: BannerID(Int64(banner))!) }

    /// What is answered to these requests, sent at once on one connection.
    private func answers(_ banners: [Int], from node: RemoteNode) async throws -> [String] {
        let last = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        let text = try await HotServer.with(node: node) { server in
            try await server.exchange(banners.map(request).joined() + last)
        }
        return text.components(separatedBy: "HTTP/1.1 ").dropFirst().dropLast().map { $0 }
    }

    @Test("each answer has the receipt of its own partition, in the order of the requests")
    func receipts() async throws {
        let fixture = RemoteFixture()
        let banners = (0..<40).map { 1 + $0 % 13 }
        try await fixture.run { node in
            let answers = try await answers(banners, from: node)
            #expect(answers.count == banners.count)
            for (banner, answer) in zip(banners, answers) {
                #expect(answer.hasPrefix("204"))
                #expect(answer.contains("Tally-Receipt: memory/\(partition(banner))@"), "\(banner): \(answer)")
                #expect(answer.contains("durable=quorum"))
            }
        }
        var expected: [Int64: Int64] = [:]
        for banner in banners { expected[Int64(banner), default: 0] += 1 }
        #expect(try await fixture.logs.counts == expected)
    }

    @Test("who is in a partition that is away is refused, and nobody else")
    func onePartitionAway() async throws {
        let fixture = RemoteFixture(spool: nil)
        let banners = Array(1...12)
        fixture.logs.set(.refuses, partition: 2)
        try await fixture.run { node in
            let answers = try await answers(banners, from: node)
            for (banner, answer) in zip(banners, answers) {
                #expect(answer.hasPrefix(partition(banner) == 2 ? "503" : "204"), "\(banner): \(answer)")
            }
            let away = banners.count { partition($0) == 2 }
            #expect(away > 0)
            #expect(node.status.refused == away)
        }
        let kept = Dictionary(uniqueKeysWithValues: banners.filter { partition($0) != 2 }.map { (Int64($0), Int64(1)) })
        #expect(try await fixture.logs.counts == kept)
    }
}
