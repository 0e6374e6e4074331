// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `--config`, which every command has that reads settings.
struct ConfigOption: ParsableArguments {
    @Option(
        help: "A JSON file of settings; its keys are the flags' names (default: the variable TALLY_CONFIG, or none).")
    var config: String?

    /// - Parameter flags: by the setting's name.
    /// - Throws: `.usage` when the file can't be read.
    func reader(flags: [String: String], environment: [String: String]) throws(CommandFailure) -> SettingsReader {
        var file: ConfigurationFile?
        if let path = config ?? environment["TALLY_CONFIG"], !path.isEmpty {
            file = ConfigurationFile(path: path, contents: try ConfigOption.contents(of: path))
        }
        return SettingsReader(flags: flags, environment: environment, file: file)
    }

    private static func contents(of path: String) throws(CommandFailure) -> [UInt8] {
        do throws(CommandFailure) {
            let contents = try InputFile(path: path).readAll(upTo: limit + 1)
            if contents.count > limit { throw .usage(["\(path): no configuration is over 1 MiB"]) }
            return contents
        } catch { throw .usage(error.lines) }
    }

    /// In bytes.
    private static let limit = 1 << 20
}
