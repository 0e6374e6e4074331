// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How many files and connections the process may have open.
enum OpenFiles {
    /// Raises the limit as far as it may be raised without rights.
    ///
    /// Most systems begin with 1,024, for programs that use `select`; each client's connection is one of them.
    static func raiseLimit() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        // Where even that is refused, what there is has to do.
        _ = setrlimit(resource, &limit)
    }
}
