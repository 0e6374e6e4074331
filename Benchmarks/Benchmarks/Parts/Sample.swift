// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What the benchmarks work on: the same in every run.
enum Sample {
    static let node = NodeID(bits: 0x0123_4567_89AB_CDEF_0011_2233_4455_6677)
    static let log = LogID(journal: node)
    static let time = Timestamp(milliseconds: 1_733_997_600_123)
    static let minute = Minute(time)

    static func banner(_ number: Int64) -> BannerID {
        guard let banner = BannerID(number) else { preconditionFailure("banners are positive") }
        return banner
    }

    static func event(banner number: Int64) -> CountedEvent {
        CountedEvent(banner: banner(number + 1), kind: .click, minute: minute, count: 1)
    }

    /// Of banners that lie apart, like those of a busy minute.
    static func chunk(sequence: UInt64, deltas: Int) -> Chunk {
        let deltas = (0..<deltas).map { index in
            Delta(banner: banner(Int64(index) * 37 + 1), kind: 0, minute: minute, count: Int64(index % 50 + 1))
        }
        return Chunk(node: node, sequence: sequence, time: time, kinds: [.click], deltas: deltas, identified: [])
    }

    /// 1,440 rows of one banner, in the order of a store.
    static let storedDay = (0..<1_440).map { index in
        let key = RowKey(banner: banner(1), kind: .click, start: minute.advanced(by: Int64(index)))
        return StoredRow(log: log, row: Row(key: key, counts: .minute(Int64(index) + 1), upTo: LogOffset(1)))
    }
}

extension Sample {
    /// More clicks in the last hour of that day.
    static let lastHour = Chunk(
        node: node, sequence: 1, time: time, kinds: [.click],
        deltas: storedDay.suffix(60).map { stored in
            Delta(banner: stored.row.key.banner, kind: 0, minute: stored.row.key.start, count: 9)
        }, identified: [])
}

/// A disk that takes everything and keeps nothing: what is left is what the journal itself costs.
final class ForgetfulDisk: Disk {
    private var sizes: [String: Int] = [:]

    func files() -> [String] { Array(sizes.keys) }
    func size(of name: String) -> Int { sizes[name] ?? 0 }
    func create(_ name: String, size: Int) { sizes[name] = size }
    func read(_ name: String, at position: Int, count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
    func write(_ bytes: [UInt8], to name: String, at position: Int) {}
    func sync(_ name: String) {}
    func rename(_ name: String, to newName: String) { sizes[newName] = sizes.removeValue(forKey: name) }
    func remove(_ name: String) { sizes[name] = nil }
    func syncDirectory() {}
}
