// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore

/// Something in a store's file that can't be what tally wrote. The store adds the path when it lets this out.
struct SQLiteDamage: Error {
    let what: String

    init(_ what: String) { self.what = what }
}

extension StoreError {
    /// What an error that came out of SQLite means for the caller.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as StoreError: self = error
        case let error as SQLiteDamage: self = .damaged("the store at \(path) is damaged: \(error.what)")
        case let error as DatabaseError: self.init(database: error, path: path)
        case is CancellationError: self = .unavailable("the store at \(path) did not finish: the task was cancelled")
        default: self = .damaged("the store at \(path) can't be read: \(error)")
        }
    }

    private init(database error: DatabaseError, path: String) {
        let store = "the store at \(path)"
        let reason = "\(error.message ?? "no message"), SQLite code \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self = .unavailable("\(store) is locked by another process (\(reason))")
        case .SQLITE_FULL:
            self = .unavailable("\(store) can't grow: its disk is full (\(reason))")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            self = .unavailable("\(store) may not be written (\(reason))")
        case .SQLITE_CANTOPEN:
            self = .unavailable("\(store) can't be opened (\(reason))")
        case .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_INTERRUPT, .SQLITE_PROTOCOL, .SQLITE_ABORT, .SQLITE_MISUSE:
            self = .unavailable("\(store) can't be used (\(reason))")
        default:
            self = .damaged("\(store) is damaged (\(reason))")
        }
    }
}
