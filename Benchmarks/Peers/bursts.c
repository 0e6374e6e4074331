// SPDX-License-Identifier: Apache-2.0
//
// A load that is the same in every minute, however fast the machine is just then: in each period one request on each
// connection, all at once, and sleep until the next. So the same work is done in batches of the same size, and what it costs
// the server can be compared over hours.
//
//     bursts PORT CONNECTIONS PERIODS-PER-SECOND SECONDS BANNERS
//
// Prints how many requests were answered.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 1024, ANSWER_BYTES = 4096 };

static void fail(const char *what) {
    fprintf(stderr, "bursts: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int connected(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void ask(int fd, int banner) {
    char text[128];
    int length = snprintf(text, sizeof text, "GET /counter/%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", banner);
    if (write(fd, text, length) != length) fail("write");
}

// The answers have no body: an answer ends with its head.
static void await_answer(int fd) {
    char answer[ANSWER_BYTES];
    size_t filled = 0;
    do {
        ssize_t count = read(fd, answer + filled, ANSWER_BYTES - 1 - filled);
        if (count <= 0) fail("read");
        filled += count;
        answer[filled] = 0;
    } while (!strstr(answer, "\r\n\r\n"));
    if (strncmp(answer, "HTTP/1.1 204", 12)) {
        fprintf(stderr, "bursts: an answer is no 204: %.200s\n", answer);
        exit(1);
    }
}

int main(int count, char **arguments) {
    if (count != 6) return 64;
    int connections = atoi(arguments[2]), rate = atoi(arguments[3]), banners = atoi(arguments[5]);
    long periods = atol(arguments[4]) * rate;
    if (connections < 1 || connections > MOST_CONNECTIONS || rate < 1 || periods < 1 || banners < 1) return 64;
    int sockets[MOST_CONNECTIONS];
    for (int index = 0; index < connections; index++) sockets[index] = connected(atoi(arguments[1]));

    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (long period = 0; period < periods; period++) {
        for (int index = 0; index < connections; index++) ask(sockets[index], 1 + rand() % banners);
        for (int index = 0; index < connections; index++) await_answer(sockets[index]);
        due.tv_nsec += 1000000000L / rate;
        if (due.tv_nsec >= 1000000000L) {
            due.tv_nsec -= 1000000000L;
            due.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    printf("%ld\n", periods * connections);
    return 0;
}
