// SPDX-License-Identifier: Apache-2.0
//
// How long the disk takes: writes a block behind the other into a file that is there already, and syncs each, as the journal
// does. What Tally answers can't be faster.
//
//     sync FILE SECONDS
//
// Prints a line: syncs, microseconds at the 50th, 99th and 99.9th percentile, and the longest.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FILE_BYTES = 16 << 20, BLOCK_BYTES = 512, MOST_SYNCS = 4 << 20 };

static void fail(const char *what) {
    fprintf(stderr, "sync: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

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
    qsort(latencies, syncs, sizeof *latencies, compare);
    printf("%lld %.1f %.1f %.1f %.1f\n", (long long)syncs, latencies[syncs / 2] / 1e3, latencies[syncs * 99 / 100] / 1e3,
           latencies[syncs * 999 / 1000] / 1e3, latencies[syncs - 1] / 1e3);
    return 0;
}
