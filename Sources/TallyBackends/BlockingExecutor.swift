// SPDX-License-Identifier: Apache-2.0

import Glibc
import TallyCore

/// Runs the calls that block, on a disk or a database, one after the other, on a thread of their own. A task that prefers it
/// runs there between those calls, too, and then nothing has to change threads for a call: at ten thousand syncs a second
/// that counts.
package final class BlockingExecutor: SerialExecutor, TaskExecutor {
    private let jobs = JobQueue()

    init() {
        let context = Context(jobs: jobs, executor: self)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, BlockingExecutor.main, Unmanaged.passRetained(context).toOpaque())
        precondition(code == 0, "the system has room for one more thread")
        pthread_detach(thread)
    }

    /// Nobody can have a job here any more: a job holds on to its executor.
    deinit { jobs.close() }

    package func enqueue(_ job: consuming ExecutorJob) { jobs.add(UnownedJob(job)) }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    /// Runs this when its turn comes; nobody waits for it.
    func perform(_ body: @escaping @Sendable () -> Void) { Task(executorPreference: self) { body() } }

    /// Runs this where no actor lives yet.
    func run<Value, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> sending Value
    ) async throws(Failure) -> sending Value {
        let place = Place(executor: self)
        return try await place.run(body)
    }

    /// An actor that has nothing but the thread.
    private actor Place {
        nonisolated private let executor: BlockingExecutor

        init(executor: BlockingExecutor) { self.executor = executor }

        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        func run<Value, Failure: Error>(
            _ body: @Sendable () throws(Failure) -> sending Value
        ) throws(Failure) -> sending Value { try body() }
    }

    // MARK: The thread

    /// What the thread is given. It does not keep the executor alive, or neither would ever end.
    private final class Context {
        let jobs: JobQueue
        unowned let executor: BlockingExecutor

        init(jobs: JobQueue, executor: BlockingExecutor) {
            self.jobs = jobs
            self.executor = executor
        }
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
        guard let pointer else { return nil }
        let context = Unmanaged<Context>.fromOpaque(pointer).takeRetainedValue()
        while let job = context.jobs.next() {
            let executor = context.executor
            job.runSynchronously(
                isolatedTo: executor.asUnownedSerialExecutor(), taskExecutor: executor.asUnownedTaskExecutor())
        }
        return nil
    }
}

/// The jobs that wait for a thread. Blocks the thread, and no other, while there are none.
private final class JobQueue: @unchecked Sendable {
    // Unchecked, since the compiler doesn't know that a pthread mutex guards the members below.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [UnownedJob] = []
    private var isClosed = false
    /// Of the thread alone, in the order in which they came.
    private var taken: ArraySlice<UnownedJob> = []

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(arrival, nil)
    }

    deinit {
        pthread_cond_destroy(arrival)
        pthread_mutex_destroy(lock)
        arrival.deallocate()
        lock.deallocate()
    }

    func add(_ job: UnownedJob) {
        pthread_mutex_lock(lock)
        waiting.append(job)
        if waiting.count == 1 { pthread_cond_signal(arrival) }
        pthread_mutex_unlock(lock)
    }

    func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        pthread_cond_signal(arrival)
        pthread_mutex_unlock(lock)
    }

    /// - Returns: nil when it was closed and nothing is left.
    func next() -> UnownedJob? {
        if let job = taken.popFirst() { return job }
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while waiting.isEmpty {
            if isClosed { return nil }
            pthread_cond_wait(arrival, lock)
        }
        taken = waiting[...]
        waiting = []
        return taken.popFirst()
    }
}
