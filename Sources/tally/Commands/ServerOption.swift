// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

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

/// `--data`, of every command that works on files while no server does.
struct DataOption: ParsableArguments {
    @Option(SharedSettings.data) var data: String?
    @OptionGroup var file: ConfigOption

    func path(environment: [String: String]) throws(CommandFailure) -> String {
        let flags = data.map { [SharedSettings.data.name: $0] } ?? [:]
        var reader = try file.reader(flags: flags, environment: environment)
        let path = reader.value(of: SharedSettings.data)
        try reader.throwProblems()
        return path
    }
}
