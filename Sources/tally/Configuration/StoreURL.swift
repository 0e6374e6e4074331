// SPDX-License-Identifier: Apache-2.0

import TallyBackends

/// Where counts are kept. What it says of itself names no password.
enum StoreURL: Equatable, Sendable {
    case sqlite(path: String)
    case postgreSQL(PostgreSQLURL)
    case clickHouse(ClickHouseURL)

    static let allowed =
        "sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE, "
        + "clickhouse://USER:PASSWORD@HOST:PORT/DATABASE or clickhouses://… (with TLS)"

    init(text: String) throws(SettingRefusal) {
        guard let colon = text.firstIndex(of: ":") else { throw .notAllowed }
        switch text[..<colon] {
        case "sqlite":
            let path = String(text[colon...].dropFirst())
            guard !path.isEmpty, !path.contains("\0") else { throw .notAllowed }
            self = .sqlite(path: path)
        case "postgres", "postgresql":
            do throws(StoreURLError) { self = .postgreSQL(try PostgreSQLURL(text)) } catch {
                throw .because(error.reason)
            }
        case "clickhouse", "clickhouses":
            do throws(StoreURLError) { self = .clickHouse(try ClickHouseURL(text)) } catch {
                throw .because(error.reason)
            }
        default: throw .notAllowed
        }
    }
}

extension StoreURL: CustomStringConvertible {
    var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .postgreSQL(let url): url.description
        case .clickHouse(let url): url.description
        }
    }
}
