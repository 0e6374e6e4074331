// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where messages and progress go, so that standard output carries the result alone.
enum StandardError {
    static func print(_ line: String) { write(line + "\n") }

    /// Over a progress bar, if one may stand on the line.
    static func print(_ line: String, over terminal: Terminal) {
        write((terminal.isTerminal ? "\r\u{1B}[K" : "") + line + "\n")
    }

    /// What can't be written here can't be reported anywhere.
    static func write(_ text: String) { _ = DescriptorWriter.write(Array(text.utf8), to: STDERR_FILENO) }
}
