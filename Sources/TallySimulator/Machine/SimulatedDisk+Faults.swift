// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// What happens to the disk.
extension SimulatedDisk {
    /// The machine stops and starts again: what was not synced is there or not, as the generator says.
    package func crash(using generator: inout SeededGenerator) {
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
    package func restartProcess() {
        faults = [:]
        losesNextWrite = false
        callsUntilPowerLoss = nil
        callsFromCreateToPowerLoss = nil
        isOn = true
    }

    /// Nothing that was not synced is there.
    package func loseUnsynced() { powerOn() }

    private func powerOn() {
        names = keptNames
        for file in names.values { file.powerOn() }
        restartProcess()
    }

    /// The next call of this kind fails, or the one so many later.
    package func failNext(_ call: Call, after others: Int = 0, with error: DiskError) {
        faults[call, default: [:]][calls[call, default: 0] + 1 + others] = error
    }

    package func bytes(of name: String) -> [UInt8] { names[name]?.seen ?? [] }

    /// As if someone had put this file there.
    package func place(_ bytes: [UInt8], as name: String) {
        let file = SimulatedFile(bytes)
        names[name] = file
        keptNames[name] = file
    }

    package func delete(_ name: String) {
        names[name] = nil
        keptNames[name] = nil
    }

    package func flip(_ name: String, byte: Int, mask: UInt8 = 0x10) {
        var bytes = bytes(of: name)
        bytes[byte] ^= mask
        place(bytes, as: name)
    }

    /// An independent disk in the same state, without faults to come.
    package func copy() -> SimulatedDisk {
        let copy = SimulatedDisk()
        var copies: [ObjectIdentifier: SimulatedFile] = [:]
        for file in Array(names.values) + Array(keptNames.values) {
            copies[ObjectIdentifier(file)] = SimulatedFile(file)
        }
        copy.names = names.compactMapValues { copies[ObjectIdentifier($0)] }
        copy.keptNames = keptNames.compactMapValues { copies[ObjectIdentifier($0)] }
        return copy
    }

    /// Every file and its bytes.
    package var contents: [String: [UInt8]] { names.mapValues(\.seen) }
}
