// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What is at the other end of standard output or standard error.
struct Terminal: Equatable, Sendable {
    /// nil when it is no terminal.
    let width: Int?
    /// Whether it shows more than ASCII.
    let isUnicode: Bool

    var isTerminal: Bool { width != nil }

    static func standardOutput(environment: [String: String]) -> Terminal { of(STDOUT_FILENO, environment) }
    static func standardError(environment: [String: String]) -> Terminal { of(STDERR_FILENO, environment) }

    /// How many lines the terminal at standard output has now.
    static func heightOfStandardOutput() -> Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 24 }
        return Int(size.ws_row)
    }

    private static func of(_ descriptor: Int32, _ environment: [String: String]) -> Terminal {
        let isTerminal = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
        return Terminal(width: isTerminal ? columns(of: descriptor) : nil, isUnicode: isUnicode(environment))
    }

    private static func columns(of descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// By the first of these variables that is set, as in POSIX.
    static func isUnicode(_ environment: [String: String]) -> Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        return locale.lowercased().replacing("-", with: "").contains("utf8")
    }
}
