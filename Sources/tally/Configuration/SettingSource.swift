// SPDX-License-Identifier: Apache-2.0

/// Where a value comes from; the first that has one wins.
enum SettingSource: Equatable, Sendable {
    case flag(String)
    case environment(String)
    case file(String)
    case standard
}

extension SettingSource: CustomStringConvertible {
    var description: String {
        switch self {
        case .flag(let name): "flag --\(name)"
        case .environment(let name): "environment \(name)"
        case .file(let path): "file \(path)"
        case .standard: "default"
        }
    }
}
