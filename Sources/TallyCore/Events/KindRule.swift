// SPDX-License-Identifier: Apache-2.0

/// Which kinds are counted. `click` and `impression` always are, so that no other kind can take their room.
package enum KindRule: Equatable, Sendable {
    /// Whatever comes first, up to so many kinds in all.
    case first(Int)
    /// These.
    case listed(Set<Kind>)

    /// As many as there can be.
    package static let any = KindRule.first(Limits.kinds)
    package static let always: Set<Kind> = [.click, .impression]

    /// Why a kind is not counted.
    package enum Refusal: Error, Equatable, Sendable {
        case tooMany(limit: Int)
        /// Sorted.
        case notListed(allowed: [Kind])
    }

    /// - Parameters:
    ///   - known: the kinds that have come before.
    ///   - newcomers: those that come with it.
    /// - Returns: whether the kind is new, and takes room that another could have.
    package func admit(
        _ kind: Kind, beside known: Set<Kind>, with newcomers: Set<Kind> = []
    ) throws(Refusal) -> Bool {
        if KindRule.always.contains(kind) { return false }
        switch self {
        case .listed(let kinds):
            guard kinds.contains(kind) else { throw .notListed(allowed: kinds.union(KindRule.always).sorted()) }
            return false
        case .first(let limit):
            if known.contains(kind) || newcomers.contains(kind) { return false }
            guard hasRoom(for: known.union(newcomers).union([kind])) else { throw .tooMany(limit: limit) }
            return true
        }
    }

    /// Whether all of these may be counted together, as far as their number is concerned.
    package func hasRoom(for kinds: Set<Kind>) -> Bool {
        guard case .first(let limit) = self else { return true }
        return kinds.union(KindRule.always).count <= limit
    }
}
