// SPDX-License-Identifier: Apache-2.0

/// Cuts names into requests that the server takes.
enum NameBatches {
    /// How many names a request may hold.
    static let names = 1_000
    /// How many bytes of names; in JSON they may become six times as many, which still fits a request's body.
    static let bytes = 1 << 20

    static func cut(_ names: [String]) -> [[String]] {
        var batches: [[String]] = []
        var size = 0
        for name in names {
            size += name.utf8.count
            if batches.isEmpty || batches[batches.count - 1].count == NameBatches.names || size > bytes {
                batches.append([])
                size = name.utf8.count
            }
            batches[batches.count - 1].append(name)
        }
        return batches
    }
}
