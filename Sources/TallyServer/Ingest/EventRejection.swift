// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Why an event is not counted. The sender can repair it; trying again as it is doesn't help, unless `isTemporary` says so.
package enum EventRejection: Error, Equatable, Sendable {
    /// It lies further back than late events may.
    case tooOld(earliest: Minute)
    /// It lies further back than counts are kept by the minute, so that a backfill can't change it either.
    case expired(earliest: Minute)
    /// It lies further ahead than clocks may differ.
    case inFuture(latest: Minute)
    case tooManyKinds(limit: Int)
    case unknownKind(Kind, allowed: [Kind])
    case unknownBanner(BannerID)
    case tooManyBanners(limit: Int)
    /// Only registered banners count, and the store has not yet told which these are.
    case bannersUnknown
    /// The server's clock has jumped ahead, so that no event can be given its minute.
    case clockAhead(clock: Timestamp, estimate: Timestamp)
    case countOutOfRange(Int64)
    case idTooLong(bytes: Int)
    case idEmpty
    /// A chunk of another node counts invalid events, which only the server itself judges.
    case reservedKind(Kind)
    /// A chunk of another node tells visitors apart, which only the server itself does.
    case foreignSightings
    /// A chunk of another node, or a gap in one's sequences, is one more than are remembered.
    case tooManyNodes(limit: Int)
    /// A chunk of another node carries the id of this one.
    case ownNode(NodeID)
}

extension EventRejection {
    /// Whether the same event may count later.
    package var isTemporary: Bool {
        switch self {
        case .bannersUnknown, .clockAhead: true
        default: false
        }
    }

    /// The label of the metric that counts it.
    package var reason: String {
        switch self {
        case .tooOld: "too_old"
        case .expired: "expired"
        case .inFuture: "in_future"
        case .tooManyKinds: "too_many_kinds"
        case .unknownKind: "unknown_kind"
        case .unknownBanner: "unknown_banner"
        case .tooManyBanners: "too_many_banners"
        case .bannersUnknown: "banners_unknown"
        case .clockAhead: "clock_ahead"
        case .countOutOfRange: "count_out_of_range"
        case .idTooLong, .idEmpty: "bad_event_id"
        case .reservedKind: "bad_kind"
        case .foreignSightings: "foreign_sightings"
        case .tooManyNodes: "too_many_nodes"
        case .ownNode: "own_node"
        }
    }
}

extension EventRejection: CustomStringConvertible {
    /// What was wrong, and what is allowed.
    package var description: String {
        switch self {
        case .tooOld(let earliest):
            "the event is too old: the earliest minute that still counts is \(earliest.text()); "
                + "older ones count with ?backfill=true"
        case .expired(let earliest):
            "the event is too old: counts before \(earliest.text()) are no longer kept by the minute (--keep-minutes)"
        case .inFuture(let latest):
            "the event is in the future: the latest minute that counts is \(latest.text()); is the sender's clock right?"
        case .tooManyKinds(let limit): "a new kind, but there are \(limit) already, which is the limit (--kinds)"
        case .unknownKind(let kind, let allowed):
            "events of the kind \(kind) are not counted; allowed are \(allowed.map(\.name).joined(separator: ", ")) (--kinds)"
        case .unknownBanner(let id): "banner \(id) is not registered, and only registered banners are counted"
        case .bannersUnknown:
            "only registered banners are counted, and the store, which was away at the start, has not yet told which these are"
        case .clockAhead(let clock, let estimate):
            "the server's clock says \(clock.text), but it can't be later than about \(estimate.text): events are refused until "
                + "the clock is right again (--max-clock-ahead)"
        case .tooManyBanners(let limit):
            "a new banner, but events have brought \(limit) already, which is the limit (--max-banners); "
                + "registered banners have room of their own"
        case .countOutOfRange(let count): "n is \(count); allowed is 1 to \(Limits.eventCount)"
        case .idTooLong(let bytes): "the event id has \(bytes) bytes; allowed are 1 to \(Limits.eventIDBytes)"
        case .idEmpty: "the event id is empty; allowed are 1 to \(Limits.eventIDBytes) bytes"
        case .reservedKind(let kind):
            "the kind \(kind) is the server's own, for the events that it finds invalid; \(Kind.allowed)"
        case .foreignSightings:
            "the chunk has sightings of visitors, which only a server tells apart, of its own requests"
        case .tooManyNodes(let limit):
            "the chunk is of a new node, or leaves a gap in its node's sequences, and \(limit) nodes and gaps are remembered "
                + "already, which is the limit (--max-nodes)"
        case .ownNode(let node): "the chunk's node \(node) is this server's own, whose chunks nobody else makes"
        }
    }
}
