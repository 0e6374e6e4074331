// SPDX-License-Identifier: Apache-2.0

/// Numbers the kinds in the order of their first event, so that a row in memory names its kind in two bytes.
package struct KindTable: Sendable {
    package private(set) var kinds: [Kind]
    private var indices: [Kind: UInt16]
    /// Why the events of each are invalid.
    private var reasons: [InvalidReason?]

    package init(_ kinds: [Kind] = []) {
        self.kinds = kinds
        self.indices = Dictionary(uniqueKeysWithValues: kinds.enumerated().map { ($1, UInt16($0)) })
        self.reasons = kinds.map(\.reason)
    }

    package subscript(index: UInt16) -> Kind { kinds[Int(index)] }

    /// Why the events of this kind are invalid; nil for a kind of the user's.
    package func reason(_ index: UInt16) -> InvalidReason? { reasons[Int(index)] }

    package func index(of kind: Kind) -> UInt16? {
        // Comparing a few names costs less than the hash of one.
        kinds.count <= 8 ? kinds.firstIndex(of: kind).map { UInt16($0) } : indices[kind]
    }

    /// - Precondition: fewer than 65,535 kinds. Ingest refuses the 257th of the user's.
    package mutating func insert(_ kind: Kind) -> UInt16 {
        if let index = index(of: kind) { return index }
        precondition(kinds.count < Int(UInt16.max), "ingest limits the number of kinds")
        let index = UInt16(kinds.count)
        kinds.append(kind)
        reasons.append(kind.reason)
        indices[kind] = index
        return index
    }
}
