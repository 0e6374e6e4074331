// SPDX-License-Identifier: Apache-2.0

import Logging
import TallyCore
import TallyServer

/// What `tally serve` was told, validated: every value lies within its allowed range.
struct ServerConfiguration: Sendable {
    var listen: ListenAddress
    var loops: LoopCount
    /// The directory of the journal and the store, as given: relative to the working directory.
    var data: String
    var layout: Layout
    /// 1 s to 1 h.
    var flushEvery: Duration
    /// How far back the time of an event may lie: 0 to 3650 d.
    var acceptLate: Duration
    /// How far ahead the time of an event may lie: 0 to 1 d.
    var acceptEarly: Duration
    /// How far ahead of the log the clock may be: 10 min to 36500 d.
    var maxClockAhead: Duration
    var retention: Retention
    /// 0 to 7 d of log time.
    var deduplicationWindow: Duration
    /// How many event ids are remembered at most.
    var deduplicationLimit: Int
    var maxBanners: Int
    var maxBannerText: Int
    var maxNodes: Int
    var banners: BannerAdmission
    var kinds: KindRule
    /// 200, 202 or 204.
    var counterStatus: Int
    var allowedOrigins: AllowedOrigins
    var traffic: TrafficJudge.Configuration
    /// The file of the operator's list; nil for none.
    var botList: String?
    /// In bytes, 1 MiB to 1 GiB.
    var segmentSize: Int
    /// Within which a whole request must arrive.
    var requestTimeout: Duration
    var queryTimeout: Duration
    var maxQueryRows: Int
    var maxHeavyQueries: Int
    var stopTimeout: Duration
    var logLevel: Logger.Level
    var logFormat: LogFormat
    var store: StoreURL
    var log: LogURL
    var roles: Set<ServerRole>
    var sharing: SharingConfiguration
}

extension ServerConfiguration {
    /// - Throws: `.usage` with every problem at once.
    init(_ reader: inout SettingsReader) throws(CommandFailure) {
        let acceptLate = reader.value(of: ServerSettings.acceptLate)
        let retention = ServerConfiguration.retention(&reader, acceptLate: acceptLate)
        let log = reader.value(of: ServerSettings.log)
        let roles = reader.value(of: ServerSettings.roles)
        self.init(
            listen: reader.value(of: ServerSettings.listen), loops: reader.value(of: ServerSettings.loops),
            data: reader.value(of: SharedSettings.data),
            layout: reader.value(of: ServerSettings.layout), flushEvery: reader.value(of: ServerSettings.flushEvery),
            acceptLate: acceptLate, acceptEarly: reader.value(of: ServerSettings.acceptEarly),
            maxClockAhead: reader.value(of: ServerSettings.maxClockAhead), retention: retention,
            deduplicationWindow: reader.value(of: ServerSettings.deduplicationWindow),
            deduplicationLimit: reader.value(of: ServerSettings.deduplicationLimit),
            maxBanners: reader.value(of: ServerSettings.maxBanners),
            maxBannerText: reader.value(of: ServerSettings.maxBannerText),
            maxNodes: reader.value(of: ServerSettings.maxNodes),
            banners: reader.value(of: ServerSettings.banners),
            kinds: reader.value(of: ServerSettings.kinds),
            counterStatus: reader.value(of: ServerSettings.counterStatus),
            allowedOrigins: reader.value(of: ServerSettings.allowedOrigins),
            traffic: ServerConfiguration.traffic(&reader), botList: reader.value(of: ServerSettings.botList),
            segmentSize: reader.value(of: ServerSettings.segmentSize),
            requestTimeout: reader.value(of: ServerSettings.requestTimeout),
            queryTimeout: reader.value(of: ServerSettings.queryTimeout),
            maxQueryRows: reader.value(of: ServerSettings.maxQueryRows),
            maxHeavyQueries: reader.value(of: ServerSettings.maxHeavyQueries),
            stopTimeout: reader.value(of: ServerSettings.stopTimeout),
            logLevel: reader.value(of: ServerSettings.logLevel), logFormat: reader.value(of: ServerSettings.logFormat),
            store: reader.value(of: ServerSettings.store), log: log, roles: roles,
            sharing: SharingConfiguration(&reader, log: log, roles: roles))
        try reader.throwProblems()
    }

    /// A late event must find its minute.
    private static func retention(
        _ reader: inout SettingsReader, acceptLate: Duration
    ) -> Retention {
        let minutes = reader.value(of: ServerSettings.keepMinutes)
        let hours = reader.value(of: ServerSettings.keepHours)
        if let shortest = minutes ?? hours, shortest < acceptLate {
            reader.note(
                "--\(minutes == nil ? "keep-hours" : "keep-minutes"): \(DurationText.text(shortest)) is shorter than "
                    + "--accept-late, \(DurationText.text(acceptLate)), which it must not be")
        } else if let minutes, let hours, hours < minutes {
            reader.note(
                "--keep-hours: \(DurationText.text(hours)) is shorter than --keep-minutes, \(DurationText.text(minutes)), "
                    + "which it must not be")
        } else {
            return Retention(minutes: minutes.map(\.wholeMinutes), hours: hours.map(\.wholeMinutes))
        }
        return .forEver
    }

    private static func traffic(_ reader: inout SettingsReader) -> TrafficJudge.Configuration {
        var traffic = TrafficJudge.Configuration()
        traffic.bots = reader.value(of: ServerSettings.bots) == .on
        traffic.burst = reader.value(of: ServerSettings.burst)
        traffic.burstWindow = reader.value(of: ServerSettings.burstWindow)
        traffic.visitors = reader.value(of: ServerSettings.visitors) == .on
        traffic.trustedProxies = reader.value(of: ServerSettings.trustedProxies)
        traffic.addressField = reader.value(of: ServerSettings.clientAddressHeader)
        return traffic
    }
}

extension Duration {
    fileprivate var wholeMinutes: Int64 { components.seconds / 60 }
}
