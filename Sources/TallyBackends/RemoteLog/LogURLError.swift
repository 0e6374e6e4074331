// SPDX-License-Identifier: Apache-2.0

/// Why a text is no address of a log: a sentence without a full stop that repeats nothing of the text, since there may be a
/// password in it.
package struct LogURLError: Error, Equatable, Sendable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}
