// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The flags of `tally serve`. What a flag is called, means and allows stands in `ServerSettings`.
struct ServerFlags: ParsableArguments {
    @Option(ServerSettings.listen) var listen: String?
    @Option(ServerSettings.loops) var loops: String?
    @Option(SharedSettings.data) var data: String?
    @Option(ServerSettings.layout) var layout: String?
    @Option(ServerSettings.flushEvery) var flushEvery: String?
    @Option(ServerSettings.acceptLate) var acceptLate: String?
    @Option(ServerSettings.acceptEarly) var acceptEarly: String?
    @Option(ServerSettings.maxClockAhead) var maxClockAhead: String?
    @Option(ServerSettings.keepMinutes) var keepMinutes: String?
    @Option(ServerSettings.keepHours) var keepHours: String?
    @Option(ServerSettings.deduplicationWindow) var deduplicationWindow: String?
    @Option(ServerSettings.deduplicationLimit) var deduplicationLimit: String?
    @Option(ServerSettings.maxBanners) var maxBanners: String?
    @Option(ServerSettings.maxBannerText) var maxBannerText: String?
    @Option(ServerSettings.maxNodes) var maxNodes: String?
    @Option(ServerSettings.banners) var banners: String?
    @Option(ServerSettings.kinds) var kinds: String?
    @Option(ServerSettings.counterStatus) var counterStatus: String?
    @Option(ServerSettings.allowedOrigins) var allowedOrigins: String?
    @Option(ServerSettings.bots) var bots: String?
    @Option(ServerSettings.botList) var botList: String?
    @Option(ServerSettings.burst) var burst: String?
    @Option(ServerSettings.burstWindow) var burstWindow: String?
    @Option(ServerSettings.visitors) var visitors: String?
    @Option(ServerSettings.trustedProxies) var trustedProxies: String?
    @Option(ServerSettings.clientAddressHeader) var clientAddressHeader: String?
    @Option(ServerSettings.segmentSize) var segmentSize: String?
    @Option(ServerSettings.requestTimeout) var requestTimeout: String?
    @Option(ServerSettings.queryTimeout) var queryTimeout: String?
    @Option(ServerSettings.maxQueryRows) var maxQueryRows: String?
    @Option(ServerSettings.maxHeavyQueries) var maxHeavyQueries: String?
    @Option(ServerSettings.stopTimeout) var stopTimeout: String?
    @Option(ServerSettings.logLevel) var logLevel: String?
    @Option(ServerSettings.logFormat) var logFormat: String?
    @Option(ServerSettings.log) var log: String?
    @Option(ServerSettings.store) var store: String?
    @Option(ServerSettings.roles) var roles: String?
    @Option(ServerSettings.acknowledgement) var acknowledgement: String?
    @Option(ServerSettings.spool) var spool: String?
    @Option(ServerSettings.spoolLimit) var spoolLimit: String?
    @Option(ServerSettings.aggregators) var aggregators: String?
    @Option(ServerSettings.partitions) var partitions: String?
    @Option(ServerSettings.readyWithin) var readyWithin: String?

    /// Those that were given, by the setting's name.
    var values: [String: String] {
        let flags: [(setting: any AnySetting, text: String?)] = [
            (ServerSettings.listen, listen), (ServerSettings.loops, loops), (SharedSettings.data, data),
            (ServerSettings.layout, layout),
            (ServerSettings.flushEvery, flushEvery), (ServerSettings.acceptLate, acceptLate),
            (ServerSettings.acceptEarly, acceptEarly), (ServerSettings.maxClockAhead, maxClockAhead),
            (ServerSettings.keepMinutes, keepMinutes), (ServerSettings.keepHours, keepHours),
            (ServerSettings.deduplicationWindow, deduplicationWindow),
            (ServerSettings.deduplicationLimit, deduplicationLimit), (ServerSettings.maxBanners, maxBanners),
            (ServerSettings.maxBannerText, maxBannerText), (ServerSettings.maxNodes, maxNodes),
            (ServerSettings.banners, banners), (ServerSettings.kinds, kinds),
            (ServerSettings.counterStatus, counterStatus),
            (ServerSettings.allowedOrigins, allowedOrigins), (ServerSettings.bots, bots),
            (ServerSettings.botList, botList),
            (ServerSettings.burst, burst), (ServerSettings.burstWindow, burstWindow),
            (ServerSettings.visitors, visitors), (ServerSettings.trustedProxies, trustedProxies),
            (ServerSettings.clientAddressHeader, clientAddressHeader),
            (ServerSettings.segmentSize, segmentSize), (ServerSettings.requestTimeout, requestTimeout),
            (ServerSettings.queryTimeout, queryTimeout), (ServerSettings.maxQueryRows, maxQueryRows),
            (ServerSettings.maxHeavyQueries, maxHeavyQueries),
            (ServerSettings.stopTimeout, stopTimeout), (ServerSettings.logLevel, logLevel),
            (ServerSettings.logFormat, logFormat), (ServerSettings.log, log), (ServerSettings.store, store),
            (ServerSettings.roles, roles), (ServerSettings.acknowledgement, acknowledgement),
            (ServerSettings.spool, spool), (ServerSettings.spoolLimit, spoolLimit),
            (ServerSettings.aggregators, aggregators), (ServerSettings.partitions, partitions),
            (ServerSettings.readyWithin, readyWithin),
        ]
        return Dictionary(uniqueKeysWithValues: flags.compactMap { flag in flag.text.map { (flag.setting.name, $0) } })
    }
}

extension Option where Value == String? {
    /// The flag of a setting.
    init(_ setting: some AnySetting) {
        self.init(name: .customLong(setting.name), help: setting.argumentHelp)
    }
}
