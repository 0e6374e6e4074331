// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

struct Spawned {
    let pid: pid_t
    /// The reading ends of its two streams.
    let output: Int32
    let errors: Int32
}

/// Starts a program with an empty standard input and two pipes.
///
/// It is killed when the calling thread ends, and so when the tests crash: a crash runs no code that could clean up.
func spawn(_ executable: String, arguments: [String], environment: [String: String]) throws -> Spawned {
    // One at a time: a pipe that another program inherits by accident would never end.
    guard access(executable, X_OK) == 0 else { throw HarnessError.system("cannot start \(executable)") }
    return try spawning.withLock { _ in
        let output = try Pipe()
        let errors = try Pipe()
        defer {
            close(output.writingEnd)
            close(errors.writingEnd)
        }
        let command = canTie ? [tie, "--pdeathsig", "KILL", "--", executable] + arguments : [executable] + arguments
        let pid = try spawn(command, environment, input: nil, output: output.writingEnd, errors: errors.writingEnd)
        return Spawned(pid: pid, output: output.readingEnd, errors: errors.readingEnd)
    }
}

private let spawning = Mutex(())

/// Of util-linux: it asks the kernel for the signal, and becomes the program.
private let tie = "/usr/bin/setpriv"
private let canTie = access(tie, X_OK) == 0

private struct Pipe {
    let readingEnd: Int32
    let writingEnd: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw HarnessError.system("pipe") }
        readingEnd = ends[0]
        writingEnd = ends[1]
    }
}

/// Starts a program on these descriptors.
///
/// Not by Foundation's `Process`: that waits with `select`, and never hears of the end of its program when its own descriptors are
/// above 1,023; so many others may be open while tests run.
func spawnOnDescriptors(
    _ command: [String], environment: [String: String], input: Int32, output: Int32, errors: Int32
) throws -> pid_t {
    try spawning.withLock { _ in
        try spawn(command, environment, input: input, output: output, errors: errors)
    }
}

private func spawn(
    _ command: [String], _ environment: [String: String], input: Int32?, output: Int32, errors: Int32
) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    } else {
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    for descriptor in openDescriptors() { posix_spawn_file_actions_addclose(&actions, descriptor) }

    var attributes = try signalsAtTheirDefault()
    defer { posix_spawnattr_destroy(&attributes) }
    var argumentPointers = command.map { strdup($0) } + [nil]
    var environmentPointers = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer {
        for pointer in argumentPointers + environmentPointers { free(pointer) }
    }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, command[0], &actions, &attributes, &argumentPointers, &environmentPointers)
    guard code == 0 else { throw HarnessError.system("cannot start \(command[0])", code) }
    return pid
}

/// Threads of a pool block most signals, and a program inherits that: it would never hear the request to stop.
private func signalsAtTheirDefault() throws -> posix_spawnattr_t {
    var attributes = posix_spawnattr_t()
    guard posix_spawnattr_init(&attributes) == 0 else { throw HarnessError.system("posix_spawnattr_init") }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    return attributes
}

/// All but the three standard ones.
private func openDescriptors() -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return names.compactMap { Int32($0) }.filter { $0 > STDERR_FILENO }
}
