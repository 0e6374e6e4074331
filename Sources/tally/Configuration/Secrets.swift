// SPDX-License-Identifier: Apache-2.0

/// Keeps passwords out of what is shown.
enum Secrets {
    private static let stars = "***"
    /// Whose user, when it has no password, is a token.
    private static let schemesWithTokens = ["nats", "tls"]
    /// Parts of the names of parameters, as they are and as they are misspelled.
    private static let secretNames = ["pass", "pasw", "pwd", "secret", "token"]

    /// The text with the passwords of a URL (`scheme://user:password@host/path?password=…`) replaced by `***`.
    ///
    /// Someone who forgot to encode a `/`, `?` or `@` of the password, or forgot the scheme, must not find it in a log either:
    /// whatever stands between the first colon and the last `@` is taken for it.
    static func hidden(in text: String) -> String {
        if text.hasPrefix("sqlite:") { return text }
        let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
        var shown = String(text[..<start])
        var rest = text[start...]
        if let at = rest.lastIndex(of: "@") {
            if let colon = rest[..<at].firstIndex(of: ":") {
                shown += rest[...colon] + stars
                rest = rest[at...]
            } else if schemesWithTokens.contains(where: { shown == $0 + "://" }) {
                shown += stars
                rest = rest[at...]
            }
        }
        return shown + hiddenParameters(in: rest)
    }

    /// Also of libpq's other form: `host=… password=…`.
    private static func hiddenParameters(in rest: Substring) -> String {
        var shown = ""
        var rest = rest
        while let end = rest.firstIndex(where: { "?& ".contains($0) }) {
            shown += hidden(parameter: rest[..<end]) + rest[end...end]
            rest = rest[rest.index(after: end)...]
        }
        return shown + hidden(parameter: rest)
    }

    private static func hidden(parameter: Substring) -> Substring {
        guard let equals = parameter.firstIndex(of: "=") else { return parameter }
        let name = parameter[..<equals].lowercased()
        return secretNames.contains(where: name.contains) ? parameter[...equals] + stars : parameter
    }
}
