// SPDX-License-Identifier: Apache-2.0

/// Why events could not be made durable. The same request may work later.
package enum IngestError: Error, Equatable, Sendable {
    /// The log does not take them; the text says why.
    case unavailable(String)
    /// More is waiting for the log, or for the store, than the limit.
    case overloaded
    /// The process is stopping.
    case closing
    /// The minute of an event became final while its request was on its way; the next try tells which.
    case stale
    /// Others took the last room for a new banner or kind while the request was on its way; the next try tells which.
    case limitReached
}

extension IngestError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unavailable(let why): "the event could not be made durable: \(why)"
        case .overloaded: "more events are waiting for the disk or the store than the limit allows"
        case .closing: "the server is stopping"
        case .stale: "the minute of an event became final while its request was on its way"
        case .limitReached: "the last room for a new banner or kind was taken while the request was on its way"
        }
    }
}
