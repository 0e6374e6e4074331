// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging

/// Where the server's messages go: standard error, as text or as JSON lines.
enum ServerLogging {
    static func logger(_ configuration: ServerConfiguration) -> Logger {
        var logger = Logger(label: "tally") { label in
            switch configuration.logFormat {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler()
            }
        }
        logger.logLevel = configuration.logLevel
        return logger
    }
}

/// One JSON object a line, for programs that collect logs.
struct JSONLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    var write: @Sendable (String) -> Void = StandardError.print

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let time = Date.now.ISO8601Format(.init(includingFractionalSeconds: true))
        let fields =
            [("time", time), ("level", event.level.rawValue), ("message", event.message.description)]
            + all.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
        write("{" + fields.map { "\(JSONText.string($0)):\(JSONText.string($1))" }.joined(separator: ",") + "}")
    }
}
