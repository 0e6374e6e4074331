// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Why a banner could not be registered.
package enum RegistrationError: Error, Equatable, Sendable {
    case nameTaken(String, by: BannerID)
    case tooManyBanners(limit: Int)
    /// Names, targets and tags of all banners together, in bytes.
    case tooMuchText(limit: Int)
    /// The highest id is registered, so there is no next one.
    case idsExhausted
    /// It may work later; the text says why it doesn't now.
    case unavailable(String)
}

extension RegistrationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .nameTaken(let name, let owner): "the name \(quoted(name)) belongs to banner \(owner)"
        case .tooManyBanners(let limit): "\(limit) banners are registered already, which is the limit (--max-banners)"
        case .tooMuchText(let limit):
            "the names, targets and tags of all banners would be larger than \(limit) bytes together (--max-banner-text)"
        case .idsExhausted: "the highest banner id is registered, so that no next one can be given"
        case .unavailable(let why): "the banner could not be saved: \(why)"
        }
    }
}
