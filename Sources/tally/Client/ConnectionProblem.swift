// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOPosix

enum ConnectionProblem {
    /// Why there is no answer, in a few words.
    static func text(_ error: any Error) -> String {
        if let error = error as? IOError { return SystemError.text(error.errnoCode) }
        if let error = error as? NIOConnectionError { return self.text(error) }
        switch error as? HTTPClientError {
        case .connectTimeout: return "no connection within 10 seconds"
        case .readTimeout: return "it keeps silent for a minute"
        case .remoteConnectionClosed: return "it closed the connection"
        default: return PlainText.of("\(error)", upTo: 300)
        }
    }

    /// A host's name may lead to several addresses, or to none.
    private static func text(_ error: NIOConnectionError) -> String {
        guard let last = error.connectionErrors.last else { return "the name \(error.host) leads to no address" }
        return text(last.error)
    }
}
