// SPDX-License-Identifier: Apache-2.0

import Crypto

/// The name of one event, given by its sender so that a retry counts once.
///
/// It is the first 128 bits of SHA-256 over banner, kind and the sender's text: ids are compared within one banner and
/// kind, so that the answer doesn't depend on how banners are spread over partitions. With a billion ids in the window
/// two of them are alike with a probability of 2^-69.
///
/// A client that sends chunks chooses the bits, so their hash in a table is Swift's own: keyed, and of all of them.
package struct EventID: Hashable, Sendable {
    package let bits: UInt128

    package init(bits: UInt128) { self.bits = bits }

    package init(_ text: some StringProtocol, banner: BannerID, kind: Kind) {
        var hash = SHA256()
        withUnsafeBytes(of: banner.value.littleEndian) { hash.update(bufferPointer: $0) }
        hash.update(data: Array(kind.name.utf8))
        hash.update(data: [0])
        hash.update(data: Array(text.utf8))
        self.bits = hash.finalize().prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}
