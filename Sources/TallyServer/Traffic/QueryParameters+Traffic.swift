// SPDX-License-Identifier: Apache-2.0

extension QueryParameters {
    /// - Parameter choices: what this question can be answered for.
    func traffic(among choices: [Traffic] = Traffic.allCases) throws(BadRequest) -> Traffic {
        guard let text = try single("traffic") else { return .gross }
        guard let traffic = Traffic(rawValue: text), choices.contains(traffic) else {
            let allowed = choices.map(\.rawValue).joined(separator: ", ")
            throw BadRequest(detail: "traffic is \(quoted(text)); allowed are \(allowed)")
        }
        return traffic
    }
}
