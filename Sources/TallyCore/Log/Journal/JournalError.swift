// SPDX-License-Identifier: Apache-2.0

/// Why a journal was not opened, by what a person can do.
package enum JournalError: Error, Equatable, Sendable {
    /// What was acknowledged can't be read any more. Nothing was changed.
    case damaged(JournalDamage)
    /// A newer tally wrote it: use that one.
    case newer(String)
    /// The disk did not do it; the text says what and why.
    case unavailable(String)
}

extension JournalError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .damaged(let damage): damage.description
        case .newer(let what), .unavailable(let what): what
        }
    }
}

extension JournalError {
    init(_ error: DiskError) { self = .unavailable("the journal can't be used: \(error)") }

    /// For tools, whose callers may stop them by an error of their own: that passes unchanged.
    static func translating<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DiskError {
            throw JournalError(error)
        }
    }
}

/// Damage to what was acknowledged: where, what, and the command that repairs it.
package struct JournalDamage: Error, Equatable, Sendable {
    /// The name of the file in the journal's directory.
    package let file: String
    /// In bytes from the beginning of the file.
    package let position: Int
    /// The first offset of the log that is affected; nil when it isn't known.
    package let offset: LogOffset?
    package let what: String
    /// Such as `tally journal repair --data ./tally-data`.
    package let command: String
}

extension JournalDamage: CustomStringConvertible {
    package var description: String {
        let place = offset.map { "byte \(position), log offset \($0)" } ?? "byte \(position)"
        return "journal/\(file) is damaged at \(place): \(what). Nothing was changed. "
            + "To save what can be read and mark what is lost, run: \(command)"
    }
}

/// The words that messages about one journal need.
package struct JournalPlace: Equatable, Sendable {
    /// As a person would write it, such as `./tally-data`.
    package let dataDirectory: String

    package init(dataDirectory: String) { self.dataDirectory = dataDirectory }

    var repairCommand: String {
        let isPlain = dataDirectory.utf8.allSatisfy { byte in
            Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber
                || "/._-~+".utf8.contains(byte)
        }
        if isPlain, !dataDirectory.isEmpty { return "tally journal repair --data \(dataDirectory)" }
        let quoted = dataDirectory.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        return "tally journal repair --data '\(quoted)'"
    }

    func damage(_ file: String, at position: Int, offset: LogOffset?, _ what: String) -> JournalDamage {
        JournalDamage(file: file, position: position, offset: offset, what: what, command: repairCommand)
    }
}
