// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

    import CPostgreSQL
    import Glibc

    /// The one file that touches libpq's pointers. Everything here blocks, and belongs on a thread of its own; nothing blocks
    /// for longer than its limit.
    enum LibPQ {
        /// The parameters that stand in a URL; nil when libpq can't read it.
        static func options(of url: String) -> [String: String]? {
            guard let options = PQconninfoParse(url, nil) else { return nil }
            defer { PQconninfoFree(options) }
            var found: [String: String] = [:]
            var next = options
            while let keyword = next.pointee.keyword {
                if let value = next.pointee.val { found[String(cString: keyword)] = String(cString: value) }
                next += 1
            }
            return found
        }
    }

#endif
