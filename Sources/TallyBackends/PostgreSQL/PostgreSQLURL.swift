// SPDX-License-Identifier: Apache-2.0

/// `postgres://user:password@host:port/database?parameter=value`, with all that libpq understands in it. Shown without
/// user, password and parameters.
package struct PostgreSQLURL: Equatable, Sendable {
    /// For libpq alone: it holds the password.
    let text: String
    /// `postgres://host:port/database`, as libpq understood it.
    package let description: String

    /// - Throws: when libpq can't read it, or this tally was built without libpq.
    package init(_ text: String) throws(StoreURLError) {
        #if PostgreSQL
        description = try PostgreSQLAddress.name(of: text)
        self.text = text
        #else
        throw StoreURLError(
            "this tally was built without PostgreSQL; build it with libpq: swift build --traits PostgreSQL, as make does"
        )
        #endif
    }
}

extension PostgreSQLURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
