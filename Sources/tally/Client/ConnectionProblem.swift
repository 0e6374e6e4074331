// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore

enum ConnectionProblem {
    /// Why there is no answer, in a few words.
    static func text(_ error: any Error) -> String {
        if let error = error as? IOError { return SystemError.text(error.errnoCode) }
        switch error as? HTTPClientError {
        case .connectTimeout: return "no connection within 10 seconds"
        case .readTimeout: return "it keeps silent for a minute"
        case .remoteConnectionClosed: return "it closed the connection"
        default: return PlainText.of("\(error)", upTo: 300)
        }
    }
}
