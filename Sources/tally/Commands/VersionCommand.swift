// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() async throws {
        let output = OutputFile.standardOutput()
        try output.write("tally \(Version.text)\n")
        try output.finish()
    }
}

enum Version {
    static let text = "0.1.0"
}
