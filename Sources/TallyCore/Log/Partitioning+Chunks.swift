// SPDX-License-Identifier: Apache-2.0

extension LaneSums {
    /// The sums of each partition, by its number.
    func split(by partitioning: Partitioning) -> [Int: LaneSums] {
        if partitioning.count == 1 { return [0: self] }
        var parts: [Int: LaneSums] = [:]
        for delta in deltas {
            parts[partitioning.partition(of: delta.banner), default: emptied].append(delta)
        }
        for sighting in sightings {
            parts[partitioning.partition(of: sighting.place.banner), default: emptied].append(sighting)
        }
        return parts
    }
}

extension Chunk {
    /// What belongs to each partition, by its number: chunks of nodes of their own, as those of a process are. They assert nothing, since
    /// a chunk of a client is split alone.
    func split(by partitioning: Partitioning) -> [Int: Chunk] {
        var parts: [Int: Chunk] = [:]
        func add(_ banner: BannerID, to list: (inout Chunk) -> Void) {
            let partition = partitioning.partition(of: banner)
            list(&parts[partition, default: emptied(for: partition)])
        }
        for delta in deltas { add(delta.banner) { $0.deltas.append(delta) } }
        for entry in identified { add(entry.delta.banner) { $0.identified.append(entry) } }
        for sighting in sightings { add(sighting.place.banner) { $0.sightings.append(sighting) } }
        return parts.mapValues { $0.withoutUnusedKinds() }
    }

    private func emptied(for partition: Int) -> Chunk {
        let node = NodeID(process: node, partition: partition)
        return Chunk(node: node, sequence: sequence, time: time, kinds: kinds, deltas: [], identified: [])
    }

    private func withoutUnusedKinds() -> Chunk {
        let used = Set(deltas.map(\.kind)).union(identified.map(\.delta.kind)).sorted()
        if used.count == kinds.count { return self }
        var renamed: [UInt8: UInt8] = [:]
        for (index, kind) in used.enumerated() { renamed[kind] = UInt8(index) }
        var chunk = self
        // Each was just named.
        for index in deltas.indices { chunk.deltas[index].kind = renamed[deltas[index].kind]! }
        for index in identified.indices { chunk.identified[index].delta.kind = renamed[identified[index].delta.kind]! }
        chunk.kinds = used.map { kinds[Int($0)] }
        return chunk
    }
}
