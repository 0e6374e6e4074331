// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The events of so many records that stand together in the file. Each block becomes one chunk, even without events:
/// so chunk k is the same however often the file is imported, and the sequence has no gaps.
struct ImportBlock: Equatable, Sendable {
    /// How many records make a block. A chunk has room for twenty times as many events.
    static let records = 5_000

    /// From 1.
    let sequence: UInt64
    /// In the order of the file.
    var events: [ImportedEvent] = []
    /// Of all its records, with and without an event.
    var recordCount = 0

    var isFull: Bool { recordCount == ImportBlock.records }

    /// How often something happened, in all.
    var eventCount: Int64 { events.reduce(0) { $0 + $1.count } }

    /// Each once, in the order of the file.
    var names: [String] {
        var seen: Set<String> = []
        return events.compactMap { event in
            guard case .name(let name) = event.subject, seen.insert(name).inserted else { return nil }
            return name
        }
    }

    /// - Parameters:
    ///   - node: the import.
    ///   - banners: of every name of the block.
    func chunk(node: NodeID, banners: [String: BannerID]) -> Chunk {
        var builder = ChunkBuilder()
        for event in events {
            let banner = ImportBlock.banner(of: event.subject, banners)
            let id = event.id.map { EventID($0, banner: banner, kind: event.kind) }
            let added = builder.add(
                CountedEvent(banner: banner, kind: event.kind, minute: event.minute, count: event.count, id: id))
            precondition(added, "a block of so few records with so few kinds fits a chunk")
        }
        // The server's log sets the time when it takes the chunk.
        return builder.chunk(node: node, sequence: sequence, time: .epoch)
    }

    private static func banner(of subject: ImportedEvent.Subject, _ banners: [String: BannerID]) -> BannerID {
        switch subject {
        case .banner(let banner): return banner
        case .name(let name):
            guard let banner = banners[name] else {
                preconditionFailure("every name of a block is registered before it")
            }
            return banner
        }
    }
}
