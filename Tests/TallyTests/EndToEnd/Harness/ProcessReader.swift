// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Reads what a program writes until it ends, then reaps it. Runs on a thread of its own.
struct ProcessReader: Sendable {
    let pid: pid_t
    let output: Int32
    let errors: Int32
    let watch: ReportWatch

    func run() {
        // Its end is looked for besides the end of its streams: a program that it started may keep those open.
        while !hasEnded() {
            // The wait ends now and then without input, so that who waits in vain is told.
            readAvailable(within: 20)
            watch.giveUpWhatIsDue()
        }
        while readAvailable(within: 0) {}
        close(output)
        close(errors)
        reap()
    }

    /// - Parameter limit: in milliseconds.
    /// - Returns: whether there was something to read.
    @discardableResult
    private func readAvailable(within limit: Int32) -> Bool {
        var polls = [output, errors].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&polls, nfds_t(polls.count), limit) > 0 else { return false }
        var hasRead = false
        for poll in polls where poll.revents != 0 {
            let bytes = readAvailable(poll.fd)
            guard !bytes.isEmpty else { continue }
            hasRead = true
            watch.update { report in
                if poll.fd == output { report.output += bytes } else { report.errors += bytes }
            }
        }
        // Both streams may be closed while the program goes on: then there is nothing that `poll` could wait for.
        if !hasRead, limit > 0 { _ = poll(nil, 0, 1) }
        return hasRead
    }

    /// - Returns: nothing when the other end is closed.
    private func readAvailable(_ descriptor: Int32) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
            repeat { count = read(descriptor, buffer.baseAddress, buffer.count) } while count < 0 && errno == EINTR
            count = max(count, 0)
        }
    }

    /// Looks without reaping, so that the number stays the program's own until the report says that it has ended.
    private func hasEnded() -> Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) != 0 || information.si_code != 0
    }

    private func reap() {
        watch.update { report in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7f
            report.exit = signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
        }
    }
}
