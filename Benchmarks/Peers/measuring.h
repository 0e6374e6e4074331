// SPDX-License-Identifier: Apache-2.0
//
// What the programs that measure have in common. Each includes it first, for its _GNU_SOURCE.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline void fail(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

// In nanoseconds.
static inline int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// A connection to a port of this machine, which sends at once what it is given.
static inline int connected(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static inline void click(int fd, int banner) {
    char text[128];
    int length = snprintf(text, sizeof text, "GET /counter/%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", banner);
    if (write(fd, text, length) != length) fail("write");
}

// Reads on what is the answer to a click, which has no body: it ends with its head.
// Returns 1 when it is whole; `filled` says how much of it there is.
static inline int has_answer(int fd, char *answer, size_t size, size_t *filled) {
    ssize_t count = read(fd, answer + *filled, size - 1 - *filled);
    if (count <= 0) fail("read");
    *filled += count;
    answer[*filled] = 0;
    if (!strstr(answer, "\r\n\r\n")) return 0;
    if (strncmp(answer, "HTTP/1.1 204", 12)) {
        fprintf(stderr, "%s: an answer is no 204: %.200s\n", program_invocation_short_name, answer);
        exit(1);
    }
    return 1;
}

static inline int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

// How many there are, and microseconds at the 50th, 99th and 99.9th percentile, and the highest; of nanoseconds.
static inline void print_latencies(int64_t *latencies, int64_t count) {
    qsort(latencies, count, sizeof *latencies, compare);
    printf("%lld %.1f %.1f %.1f %.1f\n", (long long)count, latencies[count / 2] / 1e3, latencies[count * 99 / 100] / 1e3,
           latencies[count * 999 / 1000] / 1e3, latencies[count - 1] / 1e3);
}
