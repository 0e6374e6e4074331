// SPDX-License-Identifier: Apache-2.0

/// A file, as a program sees it and as it is really there.
final class SimulatedFile {
    /// What a program sees.
    var seen: [UInt8]
    /// What is durable.
    var kept: [UInt8]
    /// What was written since to each sector, by where it begins: a crash may leave any of it.
    var written: [Int: [[UInt8]]] = [:]
    /// The sectors that were given up by a failed sync.
    var forgotten: Set<Int> = []

    init(_ bytes: [UInt8]) {
        seen = bytes
        kept = bytes
    }

    init(_ other: SimulatedFile) {
        seen = other.seen
        kept = other.kept
        written = other.written
        forgotten = other.forgotten
    }

    func overwrite(_ bytes: ArraySlice<UInt8>, at position: Int) {
        seen.replaceSubrange(position..<position + bytes.count, with: bytes)
        let first = position / SimulatedDisk.sectorBytes * SimulatedDisk.sectorBytes
        for start in stride(from: first, to: position + bytes.count, by: SimulatedDisk.sectorBytes) {
            forgotten.remove(start)
            written[start, default: []].append(Array(seen[sector(start)]))
        }
    }

    func sync() {
        for start in written.keys where !forgotten.contains(start) {
            kept.replaceSubrange(sector(start), with: seen[sector(start)])
        }
        written = written.filter { forgotten.contains($0.key) }
    }

    func crash(keepPercent: Int, using generator: inout SeededGenerator) {
        for (start, versions) in written.sorted(by: { $0.key < $1.key }) where generator.chance(keepPercent) {
            let isLast = generator.chance(70)
            let version = isLast ? versions.last : versions.randomElement(using: &generator)
            if let version { kept.replaceSubrange(sector(start), with: version) }
        }
    }

    func powerOn() {
        if !written.isEmpty { seen = kept }
        written = [:]
        forgotten = []
    }

    private func sector(_ start: Int) -> Range<Int> { start..<min(start + SimulatedDisk.sectorBytes, seen.count) }
}
