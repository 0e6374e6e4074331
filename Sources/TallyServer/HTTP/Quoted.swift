// SPDX-License-Identifier: Apache-2.0

/// What a client sent, as it may stand in an answer or a log: in quotation marks, at most 64 characters of it, and nothing
/// that a terminal would obey.
package func quoted(_ text: some StringProtocol) -> String {
    let limit = 64
    var shown = "\""
    for scalar in text.unicodeScalars.prefix(limit) {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            shown += "\\u{\(String(scalar.value, radix: 16))}"
        default: shown.unicodeScalars.append(scalar)
        }
    }
    // Only as far as needed: counting the characters of a megabyte would take its time.
    let isLonger = text.unicodeScalars.dropFirst(limit).first != nil
    return shown + (isLonger ? "…\"" : "\"")
}
