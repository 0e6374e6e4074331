// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Where a plain request says who sent it: the places of the values of two fields in its bytes, empty when they are missing.
struct HotSender: Equatable {
    var userAgent = 0..<0
    var forwarded = 0..<0
}

/// What stands at the boundary of a message, by rules stricter than those of the HTTP codec: what it calls `plain` or
/// `framed` the codec sees as exactly one request of exactly this many bytes. Whatever it is not sure of is `odd`, and the
/// codec decides.
///
/// It is read again from its first byte when more has come: a head of this size costs less than to remember where it was.
enum HotRequest: Equatable {
    /// Counts one event of this banner, and says nothing else.
    case plain(HotRoute, BannerID, HotSender, byteCount: Int)
    /// A request for somebody else, its body included.
    case framed(byteCount: Int)
    /// So far it may become one of the two.
    case incomplete
    case odd

    /// The largest head that is looked at; the codec takes larger ones.
    static let mostHeadBytes = 8 << 10
    static let mostFields = 64
    /// The codec's own limits are higher, so that it never refuses what is `framed` for its size.
    static let mostLengthDigits = 15
    static let forwardedFor = Array("x-forwarded-for".utf8)

    /// - Parameter addressName: of the field whose place is `HotSender.forwarded`, in small letters.
    init(_ bytes: UnsafeRawBufferPointer, addressName: [UInt8] = HotRequest.forwardedFor) {
        let visible = UnsafeRawBufferPointer(rebasing: bytes.prefix(HotRequest.mostHeadBytes))
        var reader = HotRequestReader(visible, addressName: addressName)
        do throws(HotRequestReader.Stop) {
            self = try reader.read()
        } catch {
            switch error {
            case .endOfBytes: self = visible.count < HotRequest.mostHeadBytes ? .incomplete : .odd
            case .odd: self = .odd
            }
        }
    }
}
