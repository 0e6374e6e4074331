// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A disk in memory that keeps apart what a program sees and what is really there.
///
/// What it may do is what a real one may do:
/// - In a crash, each sector of 512 bytes is as it was when it was synced, or as any write since left it.
/// - In a crash, each name that was created, renamed or removed since the directory was synced is as before or as after.
/// - A failed sync loses some of what it was to write, and a second one doesn't notice: Linux marks such pages clean.
/// - Space runs out, calls fail, bits flip.
final class FaultyDisk: Disk {
    static let sectorBytes = 512

    private final class File {
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

        init(_ other: File) {
            seen = other.seen
            kept = other.kept
            written = other.written
            forgotten = other.forgotten
        }

        func overwrite(_ bytes: ArraySlice<UInt8>, at position: Int) {
            seen.replaceSubrange(position..<position + bytes.count, with: bytes)
            let first = position / FaultyDisk.sectorBytes * FaultyDisk.sectorBytes
            for start in stride(from: first, to: position + bytes.count, by: FaultyDisk.sectorBytes) {
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

        private func sector(_ start: Int) -> Range<Int> { start..<min(start + FaultyDisk.sectorBytes, seen.count) }
    }

    enum Call: Hashable {
        case create, write, sync, rename, remove, syncDirectory
    }

    private var names: [String: File] = [:]
    private var keptNames: [String: File] = [:]
    /// Bytes for all files together.
    var capacity = Int.max
    /// Errors to come, by the number of the call from 1.
    var faults: [Call: [Int: DiskError]] = [:]
    private(set) var calls: [Call: Int] = [:]
    /// After so many changing calls the machine is off and every call fails until `crash`.
    var callsUntilPowerLoss: Int?
    private var isOn = true

    // MARK: What a program does

    func files() throws(DiskError) -> [String] { names.keys.sorted() }

    func size(of name: String) throws(DiskError) -> Int { try file(name).seen.count }

    func create(_ name: String, size: Int) throws(DiskError) {
        try begin(.create)
        let used = names.filter { $0.key != name }.reduce(0) { $0 + $1.value.seen.count }
        guard size <= capacity - used else {
            names[name] = nil
            throw .full("no room for \(name)")
        }
        names[name] = File([UInt8](repeating: 0, count: size))
    }

    func read(_ name: String, at position: Int, count: Int) throws(DiskError) -> [UInt8] {
        if callsUntilPowerLoss == 0 { throw .failed("the power is off") }
        let file = try file(name)
        let end = min(position + count, file.seen.count)
        return Array(file.seen[min(position, end)..<end])
    }

    func write(_ bytes: [UInt8], to name: String, at position: Int) throws(DiskError) {
        let file = try file(name)
        precondition(position + bytes.count <= file.seen.count, "a write stays within its file")
        let wasOn = isOn
        do throws(DiskError) {
            try begin(.write)
        } catch {
            // The write that an error or the power loss hits is done by half.
            if wasOn { file.overwrite(bytes[..<(bytes.count / 2)], at: position) }
            throw error
        }
        file.overwrite(bytes[...], at: position)
    }

    func sync(_ name: String) throws(DiskError) {
        let file = try file(name)
        do throws(DiskError) {
            try begin(.sync)
        } catch {
            if isOn { file.forgotten.formUnion(file.written.keys) }
            throw error
        }
        file.sync()
    }

    func rename(_ name: String, to newName: String) throws(DiskError) {
        let file = try file(name)
        try begin(.rename)
        names[name] = nil
        names[newName] = file
    }

    func remove(_ name: String) throws(DiskError) {
        _ = try file(name)
        try begin(.remove)
        names[name] = nil
    }

    func syncDirectory() throws(DiskError) {
        try begin(.syncDirectory)
        keptNames = names
    }

    private func begin(_ call: Call) throws(DiskError) {
        if let left = callsUntilPowerLoss {
            isOn = left > 0
            guard isOn else { throw .failed("the power is off") }
            callsUntilPowerLoss = left - 1
        }
        calls[call, default: 0] += 1
        if let fault = faults[call]?[calls[call, default: 0]] { throw fault }
    }

    private func file(_ name: String) throws(DiskError) -> File {
        guard let file = names[name] else { throw .missing(name) }
        return file
    }

    // MARK: What happens to it

    /// The machine stops and starts again: what was not synced is there or not, as the generator says.
    func crash(using generator: inout SeededGenerator) {
        // Some crashes keep nearly all, some nearly nothing.
        let keepPercent = [0, 10, 50, 90, 100].randomElement(using: &generator)!
        for name in Set(names.keys).union(keptNames.keys).sorted() where names[name] !== keptNames[name] {
            if generator.chance(keepPercent) { keptNames[name] = names[name] }
        }
        for name in keptNames.keys.sorted() {
            keptNames[name]?.crash(keepPercent: keepPercent, using: &generator)
        }
        powerOn()
    }

    /// The process was killed and starts again: all that it wrote is there, synced or not.
    func restartProcess() {
        faults = [:]
        callsUntilPowerLoss = nil
        isOn = true
    }

    /// Nothing that was not synced is there.
    func loseUnsynced() { powerOn() }

    private func powerOn() {
        names = keptNames
        for file in names.values { file.powerOn() }
        restartProcess()
    }

    /// The next call of this kind fails.
    func failNext(_ call: Call, with error: DiskError) {
        faults[call, default: [:]][calls[call, default: 0] + 1] = error
    }

    func bytes(of name: String) -> [UInt8] { names[name]?.seen ?? [] }

    /// As if someone had put this file there.
    func place(_ bytes: [UInt8], as name: String) {
        let file = File(bytes)
        names[name] = file
        keptNames[name] = file
    }

    func delete(_ name: String) {
        names[name] = nil
        keptNames[name] = nil
    }

    func flip(_ name: String, byte: Int, mask: UInt8 = 0x10) {
        var bytes = bytes(of: name)
        bytes[byte] ^= mask
        place(bytes, as: name)
    }

    /// An independent disk in the same state, without faults to come.
    func copy() -> FaultyDisk {
        let copy = FaultyDisk()
        var copies: [ObjectIdentifier: File] = [:]
        for file in Array(names.values) + Array(keptNames.values) { copies[ObjectIdentifier(file)] = File(file) }
        copy.names = names.compactMapValues { copies[ObjectIdentifier($0)] }
        copy.keptNames = keptNames.compactMapValues { copies[ObjectIdentifier($0)] }
        return copy
    }

    /// Every file and its bytes.
    var contents: [String: [UInt8]] { names.mapValues(\.seen) }
}
