// SPDX-License-Identifier: Apache-2.0

import NIOPosix

/// Threads for heavy queries alone: other requests never wait for a thread that sorts a million counts.
final class QueryThreads: TaskExecutor {
    private let pool: NIOThreadPool

    init(count: Int) {
        pool = NIOThreadPool(numberOfThreads: count)
        pool.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pool.submit { [self] _ in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    deinit { pool.shutdownGracefully { _ in } }
}
