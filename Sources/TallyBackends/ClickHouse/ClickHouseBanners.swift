// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// The rows of `tally_banners`. One that was written later replaces one of the same id.
enum ClickHouseBanners {
    static let columns = "banner_id, name, target, tags, is_registered"

    static func encode(_ banners: [Banner]) -> ByteBuffer {
        var writer = RowBinaryWriter(capacity: banners.count * 48)
        for banner in banners {
            writer.write(banner.id.value)
            writer.write(banner.name)
            writer.write(banner.target)
            writer.writeLength(banner.tags.count)
            for tag in banner.tags { writer.write(tag) }
            writer.write(banner.isRegistered ? 1 : 0 as UInt8)
        }
        return writer.buffer
    }

    static func decode(_ answer: ByteBuffer) throws(ClickHouseDamage) -> [Banner] {
        var reader = RowBinaryReader(answer)
        var banners: [Banner] = []
        while !reader.isAtEnd {
            let id = try reader.readBanner()
            let name = try reader.readOptionalText()
            let target = try reader.readOptionalText()
            try check(name, 1...Limits.bannerNameBytes, "the name of banner \(id)")
            try check(target, 0...Limits.bannerTargetBytes, "the target of banner \(id)")
            let tags = try tags(from: &reader, of: id)
            let isRegistered: UInt8 = try reader.read()
            guard isRegistered <= 1 else {
                throw ClickHouseDamage("is_registered of banner \(id) is \(isRegistered), neither 0 nor 1")
            }
            banners.append(Banner(id: id, name: name, target: target, tags: tags, isRegistered: isRegistered == 1))
        }
        return banners
    }

    private static func tags(
        from reader: inout RowBinaryReader, of id: BannerID
    ) throws(ClickHouseDamage) -> [String] {
        let length = try reader.readLength()
        guard length <= Limits.bannerTags else {
            throw ClickHouseDamage("banner \(id) has \(length) tags; at most \(Limits.bannerTags) are allowed")
        }
        var tags: [String] = []
        for _ in 0..<length {
            let tag = try reader.readText()
            try check(tag, 0...Limits.bannerTagBytes, "a tag of banner \(id)")
            tags.append(tag)
        }
        return tags
    }

    private static func check(
        _ text: String?, _ allowed: ClosedRange<Int>, _ what: String
    ) throws(ClickHouseDamage) {
        guard let text, !allowed.contains(text.utf8.count) else { return }
        throw ClickHouseDamage(
            "\(what) has \(text.utf8.count) bytes; \(allowed.lowerBound) to \(allowed.upperBound) are allowed")
    }
}
