// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TallyCore

extension TallyClient {
    /// What the server has of a node.
    func node(_ node: NodeID) async throws -> NodeAnswer { try await get("/v1/nodes/\(node)", as: NodeAnswer.self) }

    func send(_ chunk: Chunk) async throws -> ChunkAnswer {
        try await post("/v1/chunks", "application/vnd.tally.chunk", chunk.encoded(), as: ChunkAnswer.self)
    }

    /// - Parameter names: at most 1,000.
    /// - Returns: the banner of each name, in the same order; new ones are registered.
    func register(names: [String]) async throws -> [BannerID] {
        let body = try JSONEncoder().encode(["names": names])
        let answer = try await post("/v1/banners", "application/json", Array(body), as: BannersAnswer.self)
        let banners = answer.banners.map(\.id)
        guard banners.count == names.count else {
            throw CommandFailure.failed("\(server) answers \(banners.count) banners for \(names.count) names")
        }
        return banners
    }

    func totals() async throws -> TotalsAnswer { try await get("/v1/totals", as: TotalsAnswer.self) }

    /// Calls `body` with all banners, a thousand at a time, ascending by id, until it returns false.
    func banners(_ body: ([BannersAnswer.Banner]) -> Bool) async throws {
        var after: BannerID?
        repeat {
            let query = [("limit", "1000"), ("totals", "false")] + (after.map { [("after", "\($0)")] } ?? [])
            let page = try await get("/v1/banners", query: query, as: BannersAnswer.self)
            guard body(page.banners) else { return }
            if let next = page.next, let after, next <= after {
                throw CommandFailure.failed("\(server) answers a page of banners that doesn't lead on")
            }
            after = page.next
        } while after != nil
    }

    /// The id that someone wrote as an id or as a name.
    func banner(_ text: String) async throws -> BannerID {
        if let banner = BannerID(digits: text) { return banner }
        var found: BannerID?
        try await banners { page in
            found = page.first { $0.name.map { ExactText($0) } == ExactText(text) }?.id
            return found == nil
        }
        guard let found else {
            throw CommandFailure.failed("no banner is called “\(PlainText.of(text, upTo: 100))”; \(BannerID.allowed)")
        }
        return found
    }
}
