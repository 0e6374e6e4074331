// SPDX-License-Identifier: Apache-2.0
//
// Sends HTTP requests over one connection, each when the last was answered, and measures what a client can't do without: from the
// first byte that is sent to the last that is received. A client in Python takes longer itself than some servers do.
//
//     exchanges PORT < REQUESTS
//
// Each request stands behind a line with its length in bytes. Prints for each answer a line: microseconds, and its bytes. The
// bytes of the last answer follow. An answer whose status is not 200 ends it.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BYTES = 64 << 20 };

static char request[1 << 20], answer[MOST_BYTES + 1];

static void fail(const char *what) {
    fprintf(stderr, "exchanges: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

// The bytes of the whole answer, when its head says how many; a body in chunks ends with an empty one.
static int is_whole(size_t filled) {
    answer[filled] = 0;
    char *body = strstr(answer, "\r\n\r\n");
    if (!body) return 0;
    body += 4;
    char *length = strcasestr(answer, "\r\ncontent-length:");
    if (length && length < body) return filled >= body - answer + strtoul(length + 17, NULL, 10);
    return filled >= body - answer + 5 && !memcmp(answer + filled - 5, "0\r\n\r\n", 5);
}

static size_t receive(int fd) {
    size_t filled = 0;
    while (!is_whole(filled)) {
        ssize_t count = read(fd, answer + filled, MOST_BYTES - filled);
        if (count <= 0) fail("read");
        filled += count;
    }
    return filled;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    size_t length, received = 0;
    while (scanf("%zu", &length) == 1 && getchar() == '\n') {
        if (length > sizeof request || fread(request, 1, length, stdin) != length) fail("a request");
        double start = now();
        if (write(fd, request, length) != (ssize_t)length) fail("write");
        received = receive(fd);
        printf("%.1f %zu\n", now() - start, received);
        if (strncmp(answer, "HTTP/1.1 200", 12)) {
            fprintf(stderr, "exchanges: %s\n", answer);
            return 1;
        }
    }
    fwrite(answer, 1, received, stdout);
    return 0;
}
