// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension KindRule {
    /// - Returns: nil when the text is not what `ServerSettings.kinds` allows.
    init?(text: String) {
        if text == "any" {
            self = .any
        } else if let count = Int(text) {
            guard (KindRule.always.count...Limits.kinds).contains(count) else { return nil }
            self = .first(count)
        } else {
            let names = text.split(separator: ",", omittingEmptySubsequences: false)
            let kinds = Set(names.compactMap { Kind($0) })
            guard kinds.count == names.count, kinds.union(KindRule.always).count <= Limits.kinds else { return nil }
            self = .listed(kinds)
        }
    }
}
