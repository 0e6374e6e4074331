// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TallyBackends
import TallyCore

/// `--server`, of every command that asks one.
struct ServerOption: ParsableArguments {
    @Option(SharedSettings.server) var server: String?
    @OptionGroup var file: ConfigOption

    /// - Throws: `.usage` when it is no address.
    func url(environment: [String: String]) throws(CommandFailure) -> ServerURL {
        let flags = server.map { [SharedSettings.server.name: $0] } ?? [:]
        var reader = try file.reader(flags: flags, environment: environment)
        let url = reader.value(of: SharedSettings.server)
        try reader.throwProblems()
        return url
    }
}

/// `--data` and `--store`, of every command that works on files while no server does.
struct DataOption: ParsableArguments {
    @Option(SharedSettings.data) var data: String?
    @Option(ServerSettings.store) var store: String?
    @OptionGroup var file: ConfigOption

    func place(environment: [String: String]) throws(CommandFailure) -> DataPlace {
        var flags: [String: String] = [:]
        flags[SharedSettings.data.name] = data
        flags[ServerSettings.store.name] = store
        var reader = try file.reader(flags: flags, environment: environment)
        let place = DataPlace(
            directory: reader.value(of: SharedSettings.data), store: reader.value(of: ServerSettings.store))
        try reader.throwProblems()
        return place
    }
}

/// `--log`, `--data` and `--store`, of every command that looks into a log.
struct LogOption: ParsableArguments {
    @Option(ServerSettings.log) var log: String?
    @Option(SharedSettings.data) var data: String?
    @Option(ServerSettings.store) var store: String?
    @OptionGroup var file: ConfigOption

    func place(environment: [String: String]) throws(CommandFailure) -> LogPlace {
        var flags: [String: String] = [:]
        flags[ServerSettings.log.name] = log
        flags[SharedSettings.data.name] = data
        flags[ServerSettings.store.name] = store
        var reader = try file.reader(flags: flags, environment: environment)
        let place = DataPlace(
            directory: reader.value(of: SharedSettings.data), store: reader.value(of: ServerSettings.store))
        let needs = LogNeeds(
            deduplicationWindow: reader.value(of: ServerSettings.deduplicationWindow),
            flushEvery: reader.value(of: ServerSettings.flushEvery))
        let log = reader.value(of: ServerSettings.log)
        try reader.throwProblems()
        return LogPlace(log: log, needs: needs, files: place)
    }
}

/// Where a log and the store of its counts are, and what a server needs of it.
struct LogPlace: Equatable, Sendable {
    let log: LogURL
    let needs: LogNeeds
    let files: DataPlace
}

/// Where the files of a server are.
struct DataPlace: Equatable, Sendable {
    let directory: String
    let store: StoreURL
}
