// SPDX-License-Identifier: Apache-2.0
//
// Sends HTTP requests over one connection, each when the last was answered, and measures what a client can't do without: from the
// first byte that is sent to the last that is received. A client in Python takes longer itself than some servers do.
//
//     exchanges PORT < REQUESTS
//
// Each request stands behind a line with its length in bytes. Prints for each answer a line: microseconds, and its bytes. The
// bytes of the last answer follow. An answer whose status is not 200 ends it.

#include "measuring.h"

#include <strings.h>

enum { MOST_BYTES = 64 << 20 };

static char request[1 << 20], answer[MOST_BYTES + 1];

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
    int fd = connected(atoi(argv[1]));
    size_t length, received = 0;
    while (scanf("%zu", &length) == 1 && getchar() == '\n') {
        if (length > sizeof request || fread(request, 1, length, stdin) != length) fail("a request");
        int64_t start = now();
        if (write(fd, request, length) != (ssize_t)length) fail("write");
        received = receive(fd);
        printf("%.1f %zu\n", (now() - start) / 1e3, received);
        if (strncmp(answer, "HTTP/1.1 200", 12)) {
            fprintf(stderr, "exchanges: %s\n", answer);
            return 1;
        }
    }
    fwrite(answer, 1, received, stdout);
    return 0;
}
