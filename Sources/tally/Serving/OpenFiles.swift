// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc

/// How many files and connections the process may have open.
enum OpenFiles {
    /// Raises the limit as far as it may be raised without rights.
    ///
    /// Most systems begin with 1,024, for programs that use `select`; each client's connection is one of them.
    static func raiseLimit() {
        guard var limit, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        // Where even that is refused, what there is has to do.
        _ = setrlimit(resource, &limit)
    }

    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

    private static var limit: rlimit? {
        var limit = rlimit()
        return getrlimit(resource, &limit) == 0 ? limit : nil
    }

    /// How many connections a server may have at a time: those files that are neither open already nor kept for the store, the
    /// log, other servers, and connections that are being refused. At least 16.
    static var connectionLimit: Int {
        guard let limit else { return 256 }
        let files = Int(clamping: limit.rlim_cur)
        return max(16, files - openCount - min(1_024, max(64, files / 8)))
    }

    private static var openCount: Int {
        guard let directory = opendir("/proc/self/fd") else { return 64 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }

    /// Has libdispatch open what it needs for timers: it ends the process when it needs them first and no file can be opened.
    static func openTimers() async {
        let queue = DispatchQueue.global()
        await withCheckedContinuation { done in
            queue.asyncAfter(deadline: .now() + .milliseconds(1)) { done.resume() }
        }
        await withCheckedContinuation { done in
            queue.asyncAfter(wallDeadline: .now() + .milliseconds(1)) { done.resume() }
        }
        try? await Task.sleep(for: .milliseconds(1), clock: .continuous)
        try? await Task.sleep(for: .milliseconds(1), clock: .suspending)
    }
}
