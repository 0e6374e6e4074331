// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// A disk in memory that keeps apart what a program sees and what is really there.
///
/// What it may do is what a real one may do:
/// - In a crash, each sector of 512 bytes is as it was when it was synced, or as any write since left it.
/// - In a crash, each name that was created, renamed or removed since the directory was synced is as before or as after.
/// - A failed sync loses some of what it was to write, and a second one doesn't notice: Linux marks such pages clean.
/// - Space runs out, calls fail, bits flip.
package final class SimulatedDisk: Disk {
    package static let sectorBytes = 512

    package enum Call: Hashable {
        case create, write, sync, rename, remove, syncDirectory
    }

    var names: [String: SimulatedFile] = [:]
    var keptNames: [String: SimulatedFile] = [:]
    /// Bytes for all files together.
    package var capacity = Int.max
    /// Errors to come, by the number of the call from 1.
    package var faults: [Call: [Int: DiskError]] = [:]
    package private(set) var calls: [Call: Int] = [:]
    /// The next write reports success and does nothing, as a drive does that forgets or writes elsewhere.
    package var losesNextWrite = false
    /// After so many changing calls the machine is off and every call fails until `crash`.
    package var callsUntilPowerLoss: Int?
    /// The same for those that follow the making of a file.
    var callsFromCreateToPowerLoss: Int?
    var isOn = true

    package init() {}

    /// The power is there, and will be at the next call.
    package var hasPower: Bool { isOn && callsUntilPowerLoss != 0 }

    var usedBytes: Int { names.values.reduce(0) { $0 + $1.seen.count } }

    // MARK: What a program does

    package func files() throws(DiskError) -> [String] { names.keys.sorted() }

    package func size(of name: String) throws(DiskError) -> Int { try file(name).seen.count }

    package func create(_ name: String, size: Int) throws(DiskError) {
        try begin(.create)
        if let calls = callsFromCreateToPowerLoss { callsUntilPowerLoss = calls }
        guard size <= capacity - usedBytes + (names[name]?.seen.count ?? 0) else {
            names[name] = nil
            throw .full("no room for \(name)")
        }
        names[name] = SimulatedFile([UInt8](repeating: 0, count: size))
    }

    package func read(_ name: String, at position: Int, count: Int) throws(DiskError) -> [UInt8] {
        if callsUntilPowerLoss == 0 { throw .failed("the power is off") }
        let file = try file(name)
        let end = min(position + count, file.seen.count)
        return Array(file.seen[min(position, end)..<end])
    }

    package func write(_ bytes: [UInt8], to name: String, at position: Int) throws(DiskError) {
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
        if losesNextWrite {
            losesNextWrite = false
            return
        }
        file.overwrite(bytes[...], at: position)
    }

    package func sync(_ name: String) throws(DiskError) {
        let file = try file(name)
        do throws(DiskError) {
            try begin(.sync)
        } catch {
            if isOn { file.forgotten.formUnion(file.written.keys) }
            throw error
        }
        file.sync()
    }

    package func rename(_ name: String, to newName: String) throws(DiskError) {
        let file = try file(name)
        try begin(.rename)
        names[name] = nil
        names[newName] = file
    }

    package func remove(_ name: String) throws(DiskError) {
        _ = try file(name)
        try begin(.remove)
        names[name] = nil
    }

    package func syncDirectory() throws(DiskError) {
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

    private func file(_ name: String) throws(DiskError) -> SimulatedFile {
        guard let file = names[name] else { throw .missing(name) }
        return file
    }
}
