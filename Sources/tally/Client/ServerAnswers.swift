// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension BannerID: Decodable {
    /// Reads what a server writes: a number up to 2^53 - 1, and a string of digits beyond.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let id =
            if let text = try? container.decode(String.self) {
                BannerID(digits: text)
            } else {
                BannerID(try container.decode(Int64.self))
            }
        guard let id else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: BannerID.allowed)
        }
        self = id
    }
}

/// `GET /v1/nodes/{node}`
struct NodeAnswer: Decodable, Equatable, Sendable {
    /// 0 when the server knows no chunk of the node.
    let lastSequence: UInt64
    /// How many chunks before it the server doesn't have.
    let missing: UInt64
}

/// `POST /v1/chunks`
struct ChunkAnswer: Decodable, Equatable, Sendable {
    private enum CodingKeys: String, CodingKey {
        case accepted
        case isDuplicate = "duplicate"
    }

    let accepted: Int64
    let isDuplicate: Bool
}

/// `GET /v1/banners` and `POST /v1/banners`
struct BannersAnswer: Decodable, Equatable, Sendable {
    struct Banner: Decodable, Equatable, Sendable {
        let id: BannerID
        let name: String?
    }

    let banners: [Banner]
    /// The id to ask after; nil at the end.
    let next: BannerID?
}

/// `GET /v1/totals`
struct TotalsAnswer: Decodable, Equatable, Sendable {
    let total: Int64
    /// nil when nothing was counted yet.
    let first: String?
    let last: String?
}

/// A line of `GET /v1/series?format=ndjson`
struct SeriesPoint: Decodable, Equatable, Sendable {
    private enum CodingKeys: String, CodingKey {
        case banner
        case kind
        case time = "ts"
        case count = "v"
    }

    let banner: BannerID
    let kind: String
    let time: String
    let count: Int64
}

/// `GET /v1/series`
struct SeriesAnswer: Decodable, Equatable, Sendable {
    struct Series: Decodable, Equatable, Sendable {
        let banner: BannerID
        let kind: String
        let points: [Point]
    }

    struct Point: Decodable, Equatable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case time = "ts"
            case count = "v"
            case isFinal = "final"
        }

        let time: String
        let count: Int64
        let isFinal: Bool
    }

    let from: String
    let to: String
    let step: String
    let series: [Series]
}

/// `GET /v1/top`
struct TopAnswer: Decodable, Equatable, Sendable {
    struct Entry: Decodable, Equatable, Sendable {
        private enum CodingKeys: String, CodingKey {
            case banner
            case name
            case count = "v"
        }

        let banner: BannerID
        let name: String?
        let count: Int64
    }

    let from: String
    let to: String
    let top: [Entry]
}

/// What an answer says that is no success: `application/problem+json`, or the `error` of the counter's endpoints.
struct ProblemAnswer: Decodable, Equatable, Sendable {
    let type: String?
    let title: String?
    let detail: String?
    let error: String?

    var text: String? {
        switch (title, detail) {
        case (let title?, let detail?): "\(title): \(detail)"
        default: detail ?? title ?? error
        }
    }
}
