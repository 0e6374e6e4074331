// SPDX-License-Identifier: Apache-2.0

/// The steps on a disk that several parts of the journal share.
struct JournalFiles {
    private static let zeroBytes = 1 << 20

    let disk: any Disk

    /// Makes a file that becomes a segment when `publish` renames it: its bytes are durable, its name is not.
    /// - Parameter records: stand behind the header.
    func prepare(_ header: SegmentHeader, records: [UInt8] = []) throws(DiskError) {
        let name = SegmentName.name(first: header.first) + SegmentName.unfinishedSuffix
        try disk.create(name, size: header.size)
        do throws(DiskError) {
            try disk.write(header.encoded() + records, to: name, at: 0)
            try disk.sync(name)
        } catch {
            // The file means nothing; if removing it fails too, the next start does it.
            try? disk.remove(name)
            throw error
        }
    }

    /// Gives a prepared segment its name; durable once the directory is synced.
    func publish(_ header: SegmentHeader) throws(DiskError) {
        let name = SegmentName.name(first: header.first)
        try disk.rename(name + SegmentName.unfinishedSuffix, to: name)
    }

    func zero(_ name: String, _ positions: Range<Int>) throws(DiskError) {
        var position = positions.lowerBound
        while position < positions.upperBound {
            let count = min(JournalFiles.zeroBytes, positions.upperBound - position)
            try disk.write([UInt8](repeating: 0, count: count), to: name, at: position)
            position += count
        }
        try disk.sync(name)
    }

    func readAll(_ name: String) throws(DiskError) -> [UInt8] {
        try disk.read(name, at: 0, count: try disk.size(of: name))
    }

    /// Carries out what the recovery decides.
    /// - Parameters:
    ///   - changes: false to stop before the first change; what would be cut is then known as `doubt`.
    ///   - progress: is told how many bytes were read, of how many.
    func recover(
        place: JournalPlace, changes: Bool = true, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(JournalError) -> JournalRecovery {
        let result: Result<JournalRecovery, JournalError>
        do throws(DiskError) {
            result = try drive(place: place, changes: changes, progress: progress)
        } catch {
            throw JournalError(error)
        }
        return try result.get()
    }

    private func drive(
        place: JournalPlace, changes: Bool, progress: (Int, Int) -> Void
    ) throws(DiskError) -> Result<JournalRecovery, JournalError> {
        let names = try disk.files()
        var total = 0
        for name in SegmentName.segments(in: names) { total += try disk.size(of: name) }
        var done = 0
        var recovery = JournalRecovery(files: names, place: place)
        var action = recovery.start()
        while true {
            switch action {
            case .finished: return .success(recovery)
            case .refuse(let error): return .failure(error)
            case .read(let file):
                let bytes = try readAll(file)
                action = recovery.didRead(bytes)
                done += bytes.count
                progress(done, total)
            case .zero, .remove, .rewrite, .sync:
                if !changes { return .success(recovery) }
                try perform(action)
                action = recovery.didAct()
            }
        }
    }

    private func perform(_ action: JournalRecovery.Action) throws(DiskError) {
        switch action {
        case .zero(let file, let positions): try zero(file, positions)
        case .remove(let file):
            try disk.remove(file)
            try disk.syncDirectory()
        case .rewrite(let file, let positions):
            let bytes = try disk.read(file, at: positions.lowerBound, count: positions.count)
            try disk.write(bytes, to: file, at: positions.lowerBound)
        case .sync(let files):
            for file in files { try disk.sync(file) }
            try disk.syncDirectory()
        case .read, .finished, .refuse: preconditionFailure("this is no change")
        }
    }
}
