// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The wall clock of the processes that are started with its environment, which a test sets: a library in front of the C library
/// adds to what `CLOCK_REALTIME` says. Other clocks, such as the time since boot, are those of the machine.
struct MovableClock {
    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <time.h>

        static volatile int64_t *seconds;

        __attribute__((constructor)) static void begin(void) {
            int file = open(getenv("WALL_CLOCK_SECONDS"), O_RDONLY);
            void *place = file < 0 ? MAP_FAILED : mmap(0, sizeof *seconds, PROT_READ, MAP_SHARED, file, 0);
            if (place == MAP_FAILED) abort();
            seconds = place;
        }

        int clock_gettime(clockid_t clock, struct timespec *time) {
            static int (*next)(clockid_t, struct timespec *);
            if (!next) *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
            int status = next(clock, time);
            if (status == 0 && clock == CLOCK_REALTIME && seconds) time->tv_sec += *seconds;
            return status;
        }
        """

    private let shift: String
    let environment: [String: String]

    init(in sandbox: Sandbox) async throws {
        shift = sandbox.directory.appending("clock-seconds")
        let (source, library) = (sandbox.directory.appending("clock.c"), sandbox.directory.appending("clock.so"))
        environment = ["LD_PRELOAD": library, "WALL_CLOCK_SECONDS": shift]
        try Self.source.write(toFile: source, atomically: true, encoding: .utf8)
        try Data(count: 8).write(to: URL(filePath: shift))
        let compiler = try sandbox.start(
            ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], executable: "/usr/bin/cc")
        guard try await compiler.waitForExit() == .code(0) else {
            throw HarnessError("cc can't compile the clock: \(compiler.report.errorText)")
        }
    }

    /// - Parameter days: ahead of the machine's clock.
    func set(ahead days: Int64) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: shift))
        // In place, since it is mapped.
        try file.write(contentsOf: withUnsafeBytes(of: (days * 86_400).littleEndian) { Data($0) })
        try file.close()
    }
}
