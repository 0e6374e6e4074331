// SPDX-License-Identifier: Apache-2.0

import Logging
import TallyCore
import TallyServer

/// The settings of `tally serve`, in the order of its help.
enum ServerSettings {
    static let listen = Setting(
        "listen", help: "Address and port to listen on; port 0 takes any free one.",
        allowed: "HOST:PORT, as in 127.0.0.1:3000, [::1]:3000 or 0.0.0.0:80", default: "127.0.0.1:3000",
        read: { ListenAddress($0) })
    static let loops = Setting(
        "loops", help: "How many threads answer requests; auto is one for each core.", allowed: "auto, or 1 to 1024",
        default: "auto", read: LoopCount.init)
    static let layout = Setting<Layout>.word(
        "layout", help: "How many minutes share a row of the store.", default: "minute")
    static let flushEvery = Setting.duration(
        "flush-every", help: "How often counts are written to the store.", in: .seconds(1)...(.hours(1)), default: "60s"
    )
    static let acceptLate = Setting.duration(
        "accept-late", help: "How far back the time of an event may lie.", in: .zero...(.days(3_650)), default: "7d")
    static let acceptEarly = Setting.duration(
        "accept-early", help: "How far ahead the time of an event may lie.", in: .zero...(.days(1)), default: "1m")
    static let maxClockAhead = Setting.duration(
        "max-clock-ahead",
        help:
            "How far ahead of the log the clock may be at a start, or after a jump that lasts; then events are refused.",
        in: .seconds(600)...(.days(36_500)), default: "400d")
    static let keepMinutes = Setting.durationOrForever(
        "keep-minutes", help: "How long counts are kept by the minute; then as totals of quarters of an hour.",
        in: .days(1)...(.days(36_500)))
    static let keepHours = Setting.durationOrForever(
        "keep-hours", help: "How long these totals are kept; then they are deleted.", in: .days(1)...(.days(36_500)))
    static let deduplicationWindow = Setting.duration(
        "dedup-window", help: "For how long an event id is remembered: by each journal, or by each remote log.",
        in: .zero...(.days(7)), default: "1h")
    static let deduplicationLimit = Setting.count(
        "dedup-limit", help: "How many event ids are remembered at most.", in: 0...100_000_000, default: "5000000")
    static let maxBanners = Setting.count(
        "max-banners", help: "How many banners events may bring, and how many may be registered beside them.",
        in: 1...100_000_000, default: "1000000")
    static let maxBannerText = Setting.size(
        "max-banner-text", help: "How large the names, targets and tags of all banners may be together.",
        in: (1 << 20)...(1 << 36), default: "256MiB")
    static let maxNodes = Setting.count(
        "max-nodes", help: "How many imports and other nodes may send chunks; gaps in their sequences count, too.",
        in: 1...10_000_000, default: "100000")
    static let banners = Setting<BannerAdmission>.word(
        "banners", help: "Whose events are counted: any banner's, or only a registered one's.", default: "any")
    static let kinds = Setting(
        "kinds", help: "The events of which kinds are counted; click and impression always are.",
        allowed: "any, how many there may be, 2 to 256, or names with commas between, as in view,purchase",
        default: "any", read: { KindRule(text: $0) })
    static let counterStatus = Setting(
        "counter-status", help: "The HTTP status that answers /counter.", allowed: "200|202|204", default: "204",
        read: { text in Int(text).flatMap { [200, 202, 204].contains($0) ? $0 : nil } })
    static let allowedOrigins = Setting(
        "allowed-origins", help: "Which web pages may see the answers of the counting requests.",
        allowed: "*, or origins with commas between, as in https://example.org,https://shop.example.org",
        default: "*", read: { AllowedOrigins($0) })
    static let bots = Setting<Switch>.word(
        "bots", help: "Whether clients that call themselves programs are counted as invalid, too.", default: "on")
    static let botList = Setting(
        name: "bot-list",
        help: "A file with more texts by which bots are told, and with exceptions; it is read again when it changes.",
        allowed: "none, or a path", defaultText: "none"
    ) { text throws(SettingRefusal) in
        if text == "none" { return String?.none }
        guard !text.isEmpty, !text.contains("\0") else { throw .notAllowed }
        return text
    }
    static let burst = Setting(
        name: "burst",
        help: "More events of one visitor on one banner within --burst-window are counted as invalid, too.",
        allowed: "off, or a number, 1…1000000", defaultText: "off"
    ) { text throws(SettingRefusal) in
        if text == "off" { return Int?.none }
        guard let number = Int(text), (1...1_000_000).contains(number) else { throw .notAllowed }
        return number
    }
    static let burstWindow = Setting.duration(
        "burst-window", help: "See --burst.", in: .seconds(1)...(.days(1)), default: "1m")
    static let visitors = Setting<Switch>.word(
        "visitors", help: "Whether the unique visitors of each banner and day are estimated.", default: "off")
    static let trustedProxies = Setting(
        name: "trusted-proxies", help: "The proxies whose --client-address-header says who a visitor is.",
        allowed: "none, or " + TrustedProxies.allowed, defaultText: "none"
    ) { text throws(SettingRefusal) in
        if text == "none" { return TrustedProxies.none }
        guard let proxies = TrustedProxies(text) else { throw .notAllowed }
        return proxies
    }
    static let clientAddressHeader = Setting(
        "client-address-header", help: "Where trusted proxies say which address a request comes from.",
        allowed: ClientAddressField.allowed, default: "X-Forwarded-For", read: { ClientAddressField($0) })
    static let segmentSize = Setting.size(
        "segment-size", help: "The size of one file of the journal.", in: (1 << 20)...(1 << 30), default: "64MiB")
    static let requestTimeout = Setting.duration(
        "request-timeout",
        help: "Within which a whole request must arrive, and its client must take something of the answer.",
        in: .seconds(1)...(.hours(1)), default: "30s")
    static let queryTimeout = Setting.duration(
        "query-timeout", help: "How long a query may take, and the client to receive a large answer.",
        in: .seconds(1)...(.hours(1)), default: "30s")
    static let maxQueryRows = Setting.count(
        "max-query-rows", help: "Of how many rows an answer may be made; a question that needs more is refused.",
        in: 1_000...1_000_000_000, default: "600000")
    static let maxHeavyQueries = Setting.count(
        "max-heavy-queries", help: "How many queries over many rows run at a time; others wait.", in: 1...64,
        default: "2")
    static let stopTimeout = Setting.duration(
        "stop-timeout", help: "How long a stop waits for requests to end.", in: .zero...(.hours(1)), default: "10s")
    static let logLevel = Setting<Logger.Level>.word(
        "log-level", help: "The least important messages that are logged.", default: "info")
    static let logFormat = Setting<LogFormat>.word(
        "log-format", help: "How messages are logged to standard error.", default: "text")
    static let log = Setting(
        name: "log", help: "Where events are made durable.", allowed: LogURL.allowed, defaultText: "journal",
        parse: LogURL.init(text:))
    static let store = Setting(
        name: "store", help: "Where counts are kept.", allowed: StoreURL.allowed,
        defaultText: "sqlite:<data>/tally.sqlite",
        parse: StoreURL.init(text:))
    static let roles = Setting(
        name: "roles", help: "What this process does.",
        allowed: "some of ingest,aggregate,query; with --log journal all three",
        defaultText: "ingest,aggregate,query", parse: ServerRole.set(from:))
    static let acknowledgement = Setting<Acknowledgement>.word(
        "ack", help: "What is true before an event is answered, with a remote log: the brokers or this disk have it.",
        default: "quorum")
    static let spool = Setting(
        "spool", help: "Whether events are kept on this disk while the brokers are away.", allowed: "on|off",
        default: "on", read: { ["on": true, "off": false][$0] })
    static let spoolLimit = Setting.size(
        "spool-limit", help: "How much is kept so at most; then events are refused.", in: (1 << 20)...(1 << 40),
        default: "1GiB")
    static let aggregators = Setting(
        "aggregators", help: "Which servers a query asks for what they have not stored yet.",
        allowed: "none, or HOST:PORT with commas between; a name may have several addresses", default: "none",
        read: AggregatorAddresses.read)
    static let partitions = Setting(
        "partitions", help: "Which partitions this server counts, where no consumer group shares them (nats://).",
        allowed: "all, or numbers from 0 with commas and dashes, as in 0-5,7", default: "all",
        read: PartitionChoice.init)

    static let readyWithin = Setting.duration(
        "ready-within",
        help: "How long /readyz waits at most until what the log held at the start is counted, with a remote log.",
        in: .zero...(.days(1)), default: "5m")

    static let all: [any AnySetting] = [
        listen, loops, SharedSettings.data, layout, flushEvery, acceptLate, acceptEarly, maxClockAhead, keepMinutes,
        keepHours,
        deduplicationWindow, deduplicationLimit, maxBanners, maxBannerText, maxNodes, banners, kinds, counterStatus,
        allowedOrigins, bots, botList, burst,
        burstWindow, visitors, trustedProxies, clientAddressHeader, segmentSize,
        requestTimeout, queryTimeout, maxQueryRows, maxHeavyQueries, stopTimeout, logLevel,
        logFormat, log, store, roles, acknowledgement, spool, spoolLimit, aggregators, partitions, readyWithin,
    ]
}

/// The settings that several commands have.
enum SharedSettings {
    static let data = Setting(
        "data", help: "The directory of the journal and the store.", allowed: "a path", default: "./tally-data",
        read: { text in text.isEmpty || text.contains("\0") ? nil : text })
    static let server = Setting(
        "server", help: "The server to talk to.",
        allowed: "http://HOST:PORT or https://HOST, with a path if it has one",
        default: "http://127.0.0.1:3000", read: { ServerURL($0) })

    static let all: [any AnySetting] = [data, server]
}

/// Every key that may stand in the file, and every `TALLY_…` variable that means something.
enum KnownSettings {
    static let all: [any AnySetting] = ServerSettings.all + [SharedSettings.server]
    static let fileNames: [String] = all.map(\.name).sorted()
    /// `TALLY_CONFIG` names the file itself.
    static let environmentNames: [String] = (all.map(\.environmentName) + ["TALLY_CONFIG"]).sorted()
}

extension Duration {
    fileprivate static func hours(_ hours: Int) -> Duration { .seconds(3_600 * hours) }
    fileprivate static func days(_ days: Int) -> Duration { .seconds(86_400 * days) }
}
