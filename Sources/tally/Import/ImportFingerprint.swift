// SPDX-License-Identifier: Apache-2.0

import Crypto
import TallyCore

/// Names an import by what it counts, so that the same import is the same node however often it runs, and wherever.
struct ImportFingerprint {
    private var hash = SHA256()

    /// Adds a piece of the file, unpacked; how it is cut into pieces doesn't matter.
    mutating func add(_ contents: [UInt8]) { hash.update(data: contents) }

    /// The node of importing all that was added with these options: the first 128 bits of SHA-256 over the content and
    /// the options, each with its length before it.
    func node(_ options: ImportOptions) -> NodeID {
        var hash = hash
        // The rules by which lines become chunks: change it when they change.
        let fields = [
            "tally import 1", "\(ImportBlock.records)", options.format.rawValue, options.match ?? "",
            options.registers ? "register" : "", options.kind.name,
        ]
        for field in fields {
            withUnsafeBytes(of: UInt64(field.utf8.count).littleEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: Array(field.utf8))
        }
        return NodeID(bits: hash.finalize().prefix(16).reduce(0) { $0 << 8 | UInt128($1) })
    }
}
