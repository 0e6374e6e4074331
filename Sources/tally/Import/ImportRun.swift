// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Sends the blocks of a file to the server, those that an earlier run has sent already left out.
struct ImportRun {
    let client: TallyClient
    let node: NodeID
    private var banners: [String: BannerID] = [:]
    /// Chunks up to here are in the server's log, none missing.
    private var lastSequence: UInt64 = 0

    init(client: TallyClient, node: NodeID) {
        self.client = client
        self.node = node
    }

    mutating func run(
        _ source: ImportSource, _ options: ImportOptions, progress: (WorkProgress) throws -> Void
    ) async throws -> ImportSummary {
        let known = try await client.node(node)
        // Where some are missing, nobody says which: all are sent again, and counted once.
        lastSequence = known.missing == 0 ? known.lastSequence : 0
        return try await source.readBlocks(options) { block, builder, done in
            let isDuplicate = try await send(block)
            builder.settle(block, isDuplicate: isDuplicate)
            try progress(done)
        }
    }

    /// - Returns: whether the server had it already.
    private mutating func send(_ block: ImportBlock) async throws -> Bool {
        try Task.checkCancellation()
        if block.sequence <= lastSequence { return true }
        for batch in NameBatches.cut(block.names.filter { banners[$0] == nil }) {
            for (name, banner) in zip(batch, try await client.register(names: batch)) { banners[name] = banner }
        }
        return try await client.send(block.chunk(node: node, banners: banners)).isDuplicate
    }
}
