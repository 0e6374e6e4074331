// SPDX-License-Identifier: Apache-2.0

/// How a server that answers queries asks one that counts (`POST /v1/unflushed`), version 1. Numbers are variable
/// (LEB128) where nothing else is said; minutes are minutes since the epoch.
///
///     question:  version 1 byte, first minute, last minute
///                banners: 0 for all, else their number plus 1, then each
///                kinds:   0 for all, else 1 (1 byte) and the kinds, as in a chunk
extension RowRange {
    package static let version: UInt8 = 1
    private static let mostBanners: UInt64 = 1_000_000

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(RowRange.version)
        writer.writeVariable(UInt64(minutes.lowerBound.sinceEpoch))
        writer.writeVariable(UInt64(minutes.upperBound.sinceEpoch))
        writer.writeVariable(banners.map { UInt64($0.count) + 1 } ?? 0)
        for banner in (banners ?? []).sorted() { writer.writeVariable(UInt64(banner.value)) }
        writer.write(kinds == nil ? 0 : 1 as UInt8)
        if let kinds { writer.writeKinds(kinds.sorted()) }
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(ByteReadingError) {
        var reader = ByteReader(bytes)
        guard try reader.read(UInt8.self) == RowRange.version else { throw .unknownVersion }
        let (first, last) = (try reader.readMinute(), try reader.readMinute())
        guard first <= last else { throw .malformedInteger }
        var banners: Set<BannerID>?
        let count = try reader.readVariable()
        guard count <= RowRange.mostBanners else { throw .tooMany }
        if count > 0 {
            banners = []
            for _ in 1..<count { banners?.insert(try reader.readBanner()) }
        }
        var kinds: Set<Kind>?
        if try reader.read(UInt8.self) == 1 { kinds = Set(try reader.readKinds(most: Int(UInt16.max))) }
        guard reader.remaining == 0 else { throw .tooMany }
        self.init(banners: banners, kinds: kinds, minutes: first...last)
    }
}

///     answer:    version 1 byte, minutes of a row 1 byte (1 or 60), number of logs, for each:
///                  name behind its length (1 byte), partition, position, time (milliseconds)
///                  why it is behind, behind its length; length 0 when it is not
///                  kinds, as in a chunk
///                  number of rows, for each: banner, place of its kind, first minute, then
///                    a sum:      0, up to (offset), a count for each minute
///                    additions:  1, their number, for each: offset, place of the minute, count
extension LogView {
    package static func encode(_ views: [LogView], layout: Layout) -> [UInt8] {
        var writer = ByteWriter(capacity: 64 + views.reduce(0) { $0 + $1.rows.count } * 16)
        writer.write(RowRange.version)
        writer.write(UInt8(layout.minutesPerRow))
        writer.writeVariable(UInt64(views.count))
        for view in views { view.write(to: &writer) }
        return writer.bytes
    }

    private func write(to writer: inout ByteWriter) {
        writer.write(UInt8(log.name.utf8.count))
        writer.write(contentsOf: log.name.utf8)
        writer.writeVariable(UInt64(partition))
        writer.writeVariable(UInt64(position.value))
        writer.writeVariable(UInt64(max(0, time.milliseconds)))
        let reason = Array((behind ?? "").utf8)
        writer.writeVariable(UInt64(reason.count))
        writer.write(contentsOf: reason)
        let kinds = Set(rows.map(\.key.kind)).sorted()
        let places = Dictionary(uniqueKeysWithValues: kinds.enumerated().map { ($1, UInt64($0)) })
        writer.writeKinds(kinds)
        writer.writeVariable(UInt64(rows.count))
        for row in rows { row.write(to: &writer, kind: places[row.key.kind] ?? 0) }
    }

    /// - Throws: also when the rows have another layout than `layout`.
    package static func decode(_ bytes: [UInt8], layout: Layout) throws(ByteReadingError) -> [LogView] {
        var reader = ByteReader(bytes)
        guard try reader.read(UInt8.self) == RowRange.version else { throw .unknownVersion }
        guard try reader.read(UInt8.self) == layout.minutesPerRow else { throw .otherLayout }
        var views: [LogView] = []
        for _ in 0..<(try reader.readVariable()) { views.append(try LogView(from: &reader, layout: layout)) }
        guard reader.remaining == 0 else { throw .tooMany }
        return views
    }

    private init(from reader: inout ByteReader, layout: Layout) throws(ByteReadingError) {
        let length = Int(try reader.read(UInt8.self))
        guard let log = LogID(String(decoding: try reader.read(count: length), as: UTF8.self)) else {
            throw .malformedInteger
        }
        let partition = Int(try reader.readNumber())
        let position = LogOffset(try reader.readNumber())
        let time = Timestamp(milliseconds: try reader.readNumber())
        let reason = String(decoding: try reader.read(count: Int(try reader.readNumber())), as: UTF8.self)
        let kinds = try reader.readKinds(most: Int(UInt16.max))
        var rows: [UnflushedRow] = []
        for _ in 0..<(try reader.readVariable()) {
            rows.append(try UnflushedRow(from: &reader, kinds: kinds, layout: layout))
        }
        self.init(
            log: log, partition: partition, position: position, time: time, behind: reason.isEmpty ? nil : reason,
            rows: rows)
    }
}

extension UnflushedRow {
    fileprivate func write(to writer: inout ByteWriter, kind: UInt64) {
        writer.writeVariable(UInt64(key.banner.value))
        writer.writeVariable(kind)
        writer.writeVariable(UInt64(key.start.sinceEpoch))
        switch content {
        case .sum(let counts, let upTo):
            writer.write(0 as UInt8)
            writer.writeVariable(UInt64(upTo.value))
            for minute in 0..<counts.layout.minutesPerRow { writer.writeVariable(UInt64(counts[minute])) }
        case .additions(let additions):
            writer.write(1 as UInt8)
            writer.writeVariable(UInt64(additions.count))
            for addition in additions {
                writer.writeVariable(UInt64(addition.offset.value))
                writer.writeVariable(UInt64(addition.minute))
                writer.writeVariable(UInt64(addition.count))
            }
        }
    }

    fileprivate init(from reader: inout ByteReader, kinds: [Kind], layout: Layout) throws(ByteReadingError) {
        let banner = try reader.readBanner()
        let kind = try reader.readVariable()
        guard kind < kinds.count else { throw .notAKind }
        let start = try reader.readMinute()
        guard layout.rowStart(of: start) == start else { throw .malformedInteger }
        key = RowKey(banner: banner, kind: kinds[Int(kind)], start: start)
        if try reader.read(UInt8.self) == 0 {
            let upTo = LogOffset(try reader.readNumber())
            var counts = RowCounts.zero(layout)
            for minute in 0..<layout.minutesPerRow { counts[minute] = try reader.readNumber() }
            content = .sum(counts, upTo: upTo)
        } else {
            var additions: [Addition] = []
            for _ in 0..<(try reader.readVariable()) {
                let offset = LogOffset(try reader.readNumber())
                let minute = try reader.readVariable()
                guard minute < layout.minutesPerRow else { throw .malformedInteger }
                additions.append(Addition(offset: offset, minute: Int(minute), count: try reader.readNumber()))
            }
            content = .additions(additions)
        }
    }
}

extension ByteReader {
    fileprivate mutating func readNumber() throws(ByteReadingError) -> Int64 {
        guard let number = Int64(exactly: try readVariable()) else { throw .malformedInteger }
        return number
    }

    fileprivate mutating func readMinute() throws(ByteReadingError) -> Minute {
        guard let minute = Minute(sinceEpoch: try readNumber()) else { throw .malformedInteger }
        return minute
    }

    fileprivate mutating func readBanner() throws(ByteReadingError) -> BannerID {
        guard let banner = BannerID(try readNumber()) else { throw .malformedInteger }
        return banner
    }
}
