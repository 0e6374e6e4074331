// SPDX-License-Identifier: Apache-2.0

/// Keeps passwords out of what is shown.
enum Secrets {
    private static let stars = "***"

    /// The text with the passwords of a URL (`scheme://user:password@host/path?password=…`) replaced by `***`.
    ///
    /// Someone who forgot to encode a `/`, `?` or `@` of the password must not find it in a log either: whatever stands
    /// between the first colon and the last `@` is taken for it.
    static func hidden(in text: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text }
        var rest = text[scheme.upperBound...]
        var shown = text[..<scheme.upperBound]
        if let at = rest.lastIndex(of: "@"), let colon = rest[..<at].firstIndex(of: ":") {
            shown += rest[...colon] + stars
            rest = rest[at...]
        }
        return String(shown + hiddenParameters(in: rest))
    }

    private static func hiddenParameters(in rest: Substring) -> Substring {
        guard let question = rest.firstIndex(of: "?") else { return rest }
        let parameters = rest[rest.index(after: question)...].split(separator: "&", omittingEmptySubsequences: false)
        return rest[...question] + parameters.map(hidden(parameter:)).joined(separator: "&")
    }

    private static func hidden(parameter: Substring) -> Substring {
        guard let equals = parameter.firstIndex(of: "=") else { return parameter }
        let name = parameter[..<equals].lowercased()
        let isSecret = ["password", "passwd", "secret", "token"].contains(where: name.contains)
        return isSecret ? parameter[...equals] + stars : parameter
    }
}
