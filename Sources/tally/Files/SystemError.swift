// SPDX-License-Identifier: Apache-2.0

import Glibc

enum SystemError {
    /// What the system says about an error number, such as "No such file or directory".
    static func text(_ number: Int32) -> String {
        guard let text = strerror(number) else { return "error \(number)" }
        return String(cString: text)
    }
}
