// SPDX-License-Identifier: Apache-2.0

/// Cuts what a store has into ranges of few enough rows to be held in memory, whatever is in it. No I/O.
///
/// A row of the layout `minute` has a count of at least 1, so a banner has no more of them than its count, nor more than
/// there are minutes between its first and its last. A range begins and ends with whole hours: no row reaches beyond it.
package enum StorePieces {
    /// - Parameters:
    ///   - totals: of all that there is.
    ///   - limit: about how many minutes with a count a range may have.
    /// - Returns: ranges that have nothing in common and together all that there is, in the order of banners and time.
    package static func ranges(of totals: [Total], limit: Int64 = 200_000) -> [RowRange] {
        var ranges: [RowRange] = []
        var piece = Piece()
        for (banner, part) in bannersInOrder(totals) {
            if piece.weight.addingSaturated(part.weight) > limit, let range = piece.range {
                ranges.append(range)
                piece = Piece()
            }
            if part.weight > limit { ranges += slices(of: banner, part, limit: limit) } else { piece.add(banner, part) }
        }
        if let range = piece.range { ranges.append(range) }
        return ranges
    }

    /// What is known of one banner.
    private struct Part {
        var weight: Int64 = 0
        var kinds: Int64 = 0
        var minutes: ClosedRange<Minute>

        init(minutes: ClosedRange<Minute>) { self.minutes = minutes }

        mutating func add(_ total: Total) {
            let span = Int64(total.minutes.upperBound.sinceEpoch) - Int64(total.minutes.lowerBound.sinceEpoch) + 1
            weight = weight.addingSaturated(min(span, total.count))
            kinds += 1
            minutes = StorePieces.union(minutes, total.minutes)
        }
    }

    /// Some banners that are read together.
    private struct Piece {
        var weight: Int64 = 0
        var banners: Set<BannerID> = []
        var minutes: ClosedRange<Minute>?

        mutating func add(_ banner: BannerID, _ part: Part) {
            weight += part.weight
            banners.insert(banner)
            minutes = minutes.map { StorePieces.union($0, part.minutes) } ?? part.minutes
        }

        var range: RowRange? { minutes.map { RowRange(banners: banners, minutes: StorePieces.wholeHours($0)) } }
    }

    private static func bannersInOrder(_ totals: [Total]) -> [(BannerID, Part)] {
        var parts: [BannerID: Part] = [:]
        for total in totals { parts[total.banner, default: Part(minutes: total.minutes)].add(total) }
        return parts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Several ranges of time, for a banner with too many rows.
    private static func slices(of banner: BannerID, _ part: Part, limit: Int64) -> [RowRange] {
        let hours = max(1, limit / part.kinds / 60)
        let whole = wholeHours(part.minutes)
        let first = Int64(whole.lowerBound.sinceEpoch)
        let last = Int64(whole.upperBound.sinceEpoch)
        return stride(from: first, through: last, by: Int(hours * 60)).map { start in
            let minutes =
                whole.lowerBound.advanced(
                    by: start - first)...whole.lowerBound.advanced(
                    by: min(start + hours * 60 - 1, last) - first)
            return RowRange(banners: [banner], minutes: minutes)
        }
    }

    fileprivate static func union(_ left: ClosedRange<Minute>, _ right: ClosedRange<Minute>) -> ClosedRange<Minute> {
        min(left.lowerBound, right.lowerBound)...max(left.upperBound, right.upperBound)
    }

    fileprivate static func wholeHours(_ minutes: ClosedRange<Minute>) -> ClosedRange<Minute> {
        Layout.hour.rowStart(of: minutes.lowerBound)...Layout.hour.rowStart(of: minutes.upperBound).advanced(by: 59)
    }
}
