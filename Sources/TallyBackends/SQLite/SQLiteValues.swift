// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyCore

/// Checked access: whoever holds the file may have written anything into it.
extension GRDB.Row {
    func integer(at index: Int, _ what: String) throws -> Int64 {
        guard case .int64(let value) = storage(at: index) else { throw SQLiteDamage("\(what) is no integer") }
        return value
    }

    func text(at index: Int, _ what: String) throws -> String {
        guard case .string(let value) = storage(at: index) else { throw SQLiteDamage("\(what) is no text") }
        return value
    }

    func optionalText(at index: Int, _ what: String) throws -> String? {
        if case .null = storage(at: index) { return nil }
        return try text(at: index, what)
    }

    func bytes(at index: Int, _ what: String) throws -> [UInt8] {
        guard case .blob(let value) = storage(at: index) else { throw SQLiteDamage("\(what) is no blob") }
        return [UInt8](value)
    }

    func banner(at index: Int) throws -> BannerID {
        let value = try integer(at: index, "a banner_id")
        guard let banner = BannerID(value) else { throw SQLiteDamage("banner_id \(value); \(BannerID.allowed)") }
        return banner
    }

    func offset(at index: Int) throws -> LogOffset {
        let value = try integer(at: index, "an up_to")
        guard value >= 0 else { throw SQLiteDamage("up_to \(value), less than 0") }
        return LogOffset(value)
    }

    /// - Parameter layout: says at which seconds a row may begin.
    func start(at index: Int, layout: Layout) throws -> Minute {
        let value = try integer(at: index, "a timestamp")
        guard value % Int64(layout.minutesPerRow * 60) == 0, let start = Minute(unixSeconds: value) else {
            throw SQLiteDamage("timestamp \(value) is no whole \(layout.rawValue) from 1970 to 9999")
        }
        return start
    }

    private func storage(at index: Int) -> DatabaseValue.Storage { (self[index] as DatabaseValue).storage }
}
