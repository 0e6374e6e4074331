// SPDX-License-Identifier: Apache-2.0

/// Finds the one group of a regular expression in a line.
struct LineMatcher {
    private let expression: Regex<AnyRegexOutput>

    /// - Throws: `.usage` when it is no regular expression, or hasn't exactly one group.
    init(_ pattern: String) throws(CommandFailure) {
        let groups: Int
        do {
            // By Unicode scalars: a line is a sequence of signs, whatever combines with whatever.
            expression = try Regex(pattern).matchingSemantics(.unicodeScalar)
            // With an empty alternative it matches anything, and every match tells how many groups there are.
            groups = try Regex("(?:\(pattern)\n)|").wholeMatch(in: "").map { $0.output.count - 1 } ?? 0
        } catch {
            throw .usage(["--match: “\(PlainText.of(pattern))” is no regular expression: \(error)"])
        }
        guard groups == 1 else {
            throw .usage([
                "--match: “\(PlainText.of(pattern))” has \(groups) groups; it needs exactly one, around the banner: "
                    + "(…); write (?:…) for groups that only hold things together"
            ])
        }
    }

    /// What the group holds where the expression first matches.
    /// - Returns: nil when it matches nowhere, or matches without its group.
    func group(in line: String) -> Substring? {
        guard let match = try? expression.firstMatch(in: line) else { return nil }
        return match.output[1].substring
    }
}
