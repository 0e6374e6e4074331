// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What a client sends.
struct Request {
    enum Body {
        case events([SentEvent], backfill: Bool)
        /// Of another node: an import.
        case chunk(Chunk)
    }

    let id: Int
    let client: Int
    let machine: Int
    let body: Body
}

/// An event as its sender describes it.
struct SentEvent {
    let banner: BannerID
    let kind: Kind
    /// nil for now.
    let time: Timestamp?
    let count: Int64
    let id: EventID?
}

/// What comes back.
struct Answer {
    enum Result {
        case counted
        /// Nothing of it counts, and it is of no use to send it again.
        case rejected
        /// Perhaps it counts; it may be sent again.
        case unavailable
    }

    let request: Int
    let client: Int
    let result: Result
}
