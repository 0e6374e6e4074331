// SPDX-License-Identifier: Apache-2.0

/// Keeps passwords out of what is shown.
enum Secrets {
    /// The text with the password of a URL (`scheme://user:password@host`) replaced by `***`.
    static func hidden(in text: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text }
        let rest = text[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return text }
        guard let colon = authority[..<at].firstIndex(of: ":") else { return text }
        return text[...colon] + "***" + text[at...]
    }
}
