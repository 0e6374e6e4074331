// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import TallyCore

/// One count of each visitor for all event loops and all routes, in pieces with a lock each: two loops meet in one of them
/// only when they count the same visitor, or by chance. So the limit is exact, whichever connections somebody uses.
final class BurstWatch: Sendable {
    private final class Piece: Sendable {
        let table: Mutex<BurstTable>
        init(_ table: BurstTable) { self.table = Mutex(table) }
    }

    private static let pieces = 64
    /// 6 MiB, and 262,144 pairs of a visitor and a banner.
    private static let slotsOfPiece = 4_096

    private let pieces: [Piece]

    init(limit: Int, window: Duration) {
        let (seconds, attoseconds) = window.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        pieces = (0..<BurstWatch.pieces).map { _ in
            Piece(BurstTable(limit: limit, window: milliseconds, slots: BurstWatch.slotsOfPiece))
        }
    }

    /// Counts one more event of the visitor.
    /// - Returns: whether it is more than a person does.
    func count(_ visitor: Visitor, _ banner: BannerID, at now: NIODeadline) -> Bool {
        let key = visitor.bits(at: banner)
        return pieces[Int(key >> 58)].table.withLock {
            $0.count(key, at: Int64(now.uptimeNanoseconds / 1_000_000))
        }
    }
}
