// SPDX-License-Identifier: Apache-2.0

/// One directory of files, as a journal needs it. Calls block until done and are never made concurrently.
///
/// What is written may be lost or torn until `sync` of the file returns; a name that was created, renamed or removed may
/// be lost until `syncDirectory` returns.
package protocol Disk: AnyObject {
    /// The names of the files, in no particular order.
    func files() throws(DiskError) -> [String]
    /// In bytes.
    func size(of name: String) throws(DiskError) -> Int
    /// Makes a file of `size` zero bytes whose space is reserved; a file of this name is replaced.
    /// - Throws: `.full` when there is no room; then the file does not exist.
    func create(_ name: String, size: Int) throws(DiskError)
    /// - Returns: up to `count` bytes from `position`; fewer only at the end of the file.
    func read(_ name: String, at position: Int, count: Int) throws(DiskError) -> [UInt8]
    /// Writes all the bytes at `position`, within the file's size.
    func write(_ bytes: [UInt8], to name: String, at position: Int) throws(DiskError)
    func sync(_ name: String) throws(DiskError)
    func rename(_ name: String, to newName: String) throws(DiskError)
    func remove(_ name: String) throws(DiskError)
    func syncDirectory() throws(DiskError)
}

/// Why the disk did not do it, by what the caller can do.
package enum DiskError: Error, Equatable, Sendable {
    /// No space: try again later.
    case full(String)
    /// There is no such file.
    case missing(String)
    /// The state of what was written is unknown: stop.
    case failed(String)
}

extension DiskError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .full(let what): "no space left on the disk: \(what)"
        case .missing(let what): "missing: \(what)"
        case .failed(let what): what
        }
    }
}
