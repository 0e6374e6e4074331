// SPDX-License-Identifier: Apache-2.0

import TallyBackends

/// Where events are made durable. What it says of itself names no password.
enum LogURL: Equatable, Sendable {
    /// Segments in the data directory.
    case journal
    case kafka(KafkaURL)
    case jetStream(JetStreamURL)

    static let allowed =
        "journal, kafka://HOST:PORT,…/TOPIC?partitions=12 or nats://HOST:PORT,…/STREAM?partitions=12 (tls:// with TLS)"

    init(text: String) throws(SettingRefusal) {
        guard let colon = text.firstIndex(of: ":") else {
            guard text == "journal" else { throw .notAllowed }
            self = .journal
            return
        }
        do throws(LogURLError) {
            switch text[..<colon] {
            case "kafka": self = .kafka(try KafkaURL(text))
            case "nats", "tls": self = .jetStream(try JetStreamURL(text))
            default: throw LogURLError("it is no log; allowed: \(LogURL.allowed)")
            }
        } catch { throw .because(error.reason) }
    }
}

extension LogURL: CustomStringConvertible {
    var description: String {
        switch self {
        case .journal: "journal"
        case .kafka(let url): url.description
        case .jetStream(let url): url.description
        }
    }
}
