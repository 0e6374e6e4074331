// SPDX-License-Identifier: Apache-2.0
//
// How long the disk takes: writes a block behind the other into a file that is there already, and syncs each, as the journal
// does. What Tally answers can't be faster.
//
//     sync FILE SECONDS
//
// Prints a line: syncs, microseconds at the 50th, 99th and 99.9th percentile, and the longest.

#include "measuring.h"

#include <fcntl.h>

enum { FILE_BYTES = 16 << 20, BLOCK_BYTES = 512, MOST_SYNCS = 4 << 20 };

int main(int count, char **arguments) {
    if (count != 3) return 64;
    double seconds = atof(arguments[2]);
    int64_t *latencies = malloc(MOST_SYNCS * sizeof *latencies);
    char *zeros = calloc(1, FILE_BYTES);
    int file = open(arguments[1], O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || !latencies || !zeros) fail("open");
    if (write(file, zeros, FILE_BYTES) != FILE_BYTES || fsync(file) < 0) fail("fill");

    char block[BLOCK_BYTES];
    memset(block, 'x', sizeof block);
    int64_t syncs = 0, end = now() + seconds * 1e9;
    for (int64_t start = now(); start < end && syncs < MOST_SYNCS; syncs++) {
        if (pwrite(file, block, sizeof block, syncs * BLOCK_BYTES % FILE_BYTES) != sizeof block) fail("write");
        if (fdatasync(file) < 0) fail("fdatasync");
        int64_t stop = now();
        latencies[syncs] = stop - start;
        start = stop;
    }
    print_latencies(latencies, syncs);
    return 0;
}
