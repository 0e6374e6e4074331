// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

enum ProcessEnvironment {
    static var variables: [String: String] { ProcessInfo.processInfo.environment }
}
