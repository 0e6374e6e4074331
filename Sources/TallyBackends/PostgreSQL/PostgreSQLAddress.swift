// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

/// What a URL of libpq says about where the server is.
enum PostgreSQLAddress {
    /// How a store of this URL is named: without user, password, and parameters that don't say where it is.
    ///
    /// - Throws: when libpq can't read the URL. What libpq says about it may repeat a part of it, so that it is not passed on.
    static func name(of url: String) throws(StoreURLError) -> String {
        guard let options = LibPQ.options(of: url), isPlain(url, port: options["port"] ?? "") else {
            throw StoreURLError(
                "it is no URL that libpq can read; allowed is postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETER=VALUE, "
                    + "where what is not plain is percent-encoded, and parameters are those of libpq")
        }
        let hosts = options["host"] ?? options["hostaddr"] ?? ""
        let database = options["dbname"] ?? ""
        guard !hosts.contains("/") else {
            return "postgres:///\(database)?host=\(hosts)" + (options["port"].map { "&port=\($0)" } ?? "")
        }
        let port = options["port"].map { ":\($0)" } ?? ""
        return "postgres://\(hosts)\(port)/\(database)"
    }

    /// libpq takes a `/` in the password for the end of the host, and what stands before it for a port: then part of the password
    /// would be shown as the port or the database.
    private static func isPlain(_ url: String, port: String) -> Bool {
        guard let scheme = url.firstRange(of: "://") else { return false }
        let path = url[scheme.upperBound...].drop { $0 != "/" }.prefix { $0 != "?" }
        let ports = port.split(separator: ",")
        return !path.contains("@") && ports.allSatisfy { UInt16($0) != nil }
    }
}

#endif
